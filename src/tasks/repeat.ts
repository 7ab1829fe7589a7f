// `repeat`: a task in rounds. A loop is a fan-out that has one round at a time, each a row of its own; the round that ends says
// whether it was the last (engine/attempt/round.ts), and what all of them gave is collected here. The engine runs them.
import type { NodeDefinition } from '../core/definition/model.ts';
import { TerminalError } from '../core/errors.ts';
import {
  compileCondition,
  compileMapping,
  evaluateCondition,
  evaluateMapping,
  type Mapping,
} from '../core/expression/mapping.ts';
import type { Scope } from '../core/expression/scope.ts';
import type { Json } from '../core/json.ts';
import { compiled } from './compile-config.ts';
import type { PartResult, TaskContext, TaskOutcome, TaskType } from './task-type.ts';

const DEFAULT_ITERATIONS = 100;

/** What a node says of its rounds, compiled. */
export interface Loop {
  readonly until: Mapping;
  /** What each round adds to the output; null: the output is the last round's. */
  readonly collect: Mapping | null;
  readonly maxIterations: number;
  readonly delayMs: number;
  readonly onLimit: 'fail' | 'complete';
  /** So many rounds with the same output, one after the other, end it; null: any number may. */
  readonly stopWhenSame: number | null;
}

const loops = new WeakMap<NodeDefinition, Loop | null>();

/** The rounds of a node; null: it runs once. */
export function loopOf(node: NodeDefinition): Loop | null {
  const known = loops.get(node);
  if (known !== undefined) return known;
  const loop = compileLoop(node);
  loops.set(node, loop);
  return loop;
}

function compileLoop(node: NodeDefinition): Loop | null {
  const { repeat } = node;
  if (repeat === undefined) return null;
  const { until, collect, maxIterations = DEFAULT_ITERATIONS, delaySeconds = 0 } = repeat;
  return {
    until: compiled(node, compileCondition(until, '/repeat/until')),
    collect: collect === undefined ? null : compiled(node, compileMapping(collect, '/repeat/collect')),
    maxIterations,
    delayMs: delaySeconds * 1000,
    onLimit: repeat.onLimit ?? 'fail',
    stopWhenSame: repeat.stopWhenSame ?? null,
  };
}

/** The task of one round: the node without what belongs to the loop. */
export function roundOf(node: NodeDefinition): NodeDefinition {
  const {
    repeat: _,
    conditionExpression: _condition,
    optional: _optional,
    triggerRule: _rule,
    ...rest
  } = node;
  return { ...rest, dependsOn: [] };
}

/** Whether a loop is over after a round with this output. Throws ExpressionError. */
export function isOver({ until }: Loop, scope: Scope, round: Round): boolean {
  return evaluateCondition(until, withRound(scope, round));
}

interface Round {
  readonly index: number;
  readonly output: Json;
  /** Of the round before; null: there was none. */
  readonly previous: Json;
}

function withRound(scope: Scope, { index, output, previous }: Round): Scope {
  return Object.assign(Object.create(null) as object, scope, { output, loop: { index, previous } }) as Scope;
}

/** What runs the loop as a whole. */
export const LOOP: TaskType = {
  type: 'repeat',
  isPure: true,
  prepare(node) {
    const loop = loopOf(node);
    if (loop === null) throw new Error(`Task "${node.taskId}" has no repeat`);
    const total = loop.maxIterations;
    return {
      mappings: [loop.until, ...(loop.collect === null ? [] : [loop.collect])],
      run(context) {
        if (context.phase === 'items') return collectRounds(node, loop, context);
        return {
          kind: 'fanOut',
          ...{
            values: null,
            total,
            maxConcurrency: 1,
            toleratedFailures: 0,
            neededSuccesses: total,
            isLoop: true,
          },
        };
      },
    };
  },
};

function collectRounds(node: NodeDefinition, loop: Loop, { parts, scope }: TaskContext): TaskOutcome {
  const rounds = parts.toSorted((a, b) => a.index - b.index);
  const failed = rounds.find(({ status }) => status === 'failed');
  if (failed !== undefined) throw errorOfRound(failed);
  const last = rounds.at(-1);
  if (last?.status !== 'completed')
    throw new TerminalError('cancelled', `Task "${node.taskId}": its last round was cancelled`);
  const roundAt = (i: number): Round => ({
    index: rounds[i]!.index,
    output: rounds[i]!.output,
    previous: rounds[i - 1]?.output ?? null,
  });
  if (loop.onLimit === 'fail' && !isOver(loop, scope, roundAt(rounds.length - 1)))
    throw new TerminalError(
      'loop_limit',
      `Task "${node.taskId}": repeat.until did not hold after ${last.index + 1} rounds${last.index + 1 < loop.maxIterations ? `, of which the last ${loop.stopWhenSame} gave the same` : ''}`,
    );
  const { collect } = loop;
  if (collect === null) return { kind: 'completed', output: last.output };
  const values = rounds.flatMap((_, i) => {
    const value = evaluateMapping(collect, withRound(scope, roundAt(i)));
    return Array.isArray(value) ? (value as readonly Json[]) : [value];
  });
  return { kind: 'completed', output: values };
}

function errorOfRound({ index, error }: PartResult): TerminalError {
  const {
    code,
    message,
    details,
    status,
    attempts = 1,
  } = error ?? { code: 'handler_error', message: 'it failed' };
  const tried = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  return new TerminalError(code, `round ${index}, after ${tried}: ${message}`, { details, status });
}
