// `wait` for a signal: opens its wait, and completes with the first signal that one of its names and its condition let in. What it
// waits for is kept by the engine, which asks the condition (engine/attempt/signals.ts) over what it read when it was opened.
import type { NodeDefinition } from '../core/definition/model.ts';
import { TerminalError } from '../core/errors.ts';
import { captureReads } from '../core/expression/captured-reads.ts';
import { compileCondition, evaluateMapping, type Mapping } from '../core/expression/mapping.ts';
import type { Json, JsonObject } from '../core/json.ts';
import {
  ARRIVAL_NAMES,
  ARRIVAL_ROOTS,
  MAX_CONDITION_BYTES,
  MAX_SIGNAL_NAMES,
  SIGNAL_NAME,
} from '../core/signal.ts';
import { compiled, compileField, invalidField, readField } from './compile-config.ts';
import type { AnswerState, PreparedTask, TaskContext, TaskOutcome } from './task-type.ts';

const MAX_SECONDS = 315_360_000;

const conditions = new WeakMap<NodeDefinition, Mapping | null>();

/** Which signals the wait of this node takes; null: any of its names. */
export function signalConditionOf(node: NodeDefinition): Mapping | null {
  const known = conditions.get(node);
  if (known !== undefined) return known;
  const when = readField(node, 'when');
  const condition =
    when === undefined
      ? null
      : compiled(node, compileCondition(when, '/config/when', { roots: ARRIVAL_ROOTS }));
  conditions.set(node, condition);
  return condition;
}

export function prepareSignalWait(node: NodeDefinition): PreparedTask {
  const names = compileField(node, 'signal');
  const timeout = compileField(node, 'timeoutSeconds', MAX_SECONDS);
  const condition = signalConditionOf(node);
  return {
    mappings: [names, timeout, ...(condition === null ? [] : [condition])],
    async run(context) {
      if (context.phase === 'signal' && context.answerState !== null)
        return outcomeOf(node, context, context.answerState);
      const wait = {
        names: namesOf(node, evaluateMapping(names, context.scope)),
        conditionReads: condition === null ? null : readsOf(node, condition, context),
        timeoutMs: secondsOf(node, evaluateMapping(timeout, context.scope)) * 1000,
      };
      return outcomeOf(node, context, await context.openSignalWait(wait));
    },
  };
}

function outcomeOf(node: NodeDefinition, context: TaskContext, answer: AnswerState): TaskOutcome {
  if (answer.status === 'open') {
    if (answer.leftMs > 0) return { kind: 'waitForAnswer', on: 'signal' };
    throw new TerminalError('timeout', `Task "${node.taskId}": no signal came in time`);
  }
  if (answer.warning !== undefined && answer.warning !== null) {
    const { message, code, pointer } = answer.warning;
    context.log.warn(message, { code, pointer });
  }
  const { signal = null, payload = null } = answer.output as JsonObject;
  return { kind: 'completed', output: { firedAt: context.now, signal, payload } };
}

function namesOf(node: NodeDefinition, given: Json): readonly string[] {
  const names: readonly Json[] = Array.isArray(given) ? given : [given];
  const areNames = names.every((name) => typeof name === 'string' && SIGNAL_NAME.pattern.test(name));
  if (!areNames || names.length === 0 || names.length > MAX_SIGNAL_NAMES)
    throw invalidField(
      node,
      'signal',
      `the name of a signal (${SIGNAL_NAME.expected}) or 1 to ${MAX_SIGNAL_NAMES} of them`,
      given,
    );
  return [...new Set(names as readonly string[])];
}

function secondsOf(node: NodeDefinition, given: Json): number {
  if (typeof given === 'number' && given > 0 && given <= MAX_SECONDS) return given;
  throw invalidField(node, 'timeoutSeconds', `a number above 0 to ${MAX_SECONDS}`, given);
}

function readsOf(node: NodeDefinition, condition: Mapping, { scope }: TaskContext): JsonObject {
  const reads = captureReads(condition.references, scope, ARRIVAL_NAMES);
  if (Buffer.byteLength(JSON.stringify(reads)) <= MAX_CONDITION_BYTES) return reads;
  throw new TerminalError(
    'payload_too_large',
    `Task "${node.taskId}": what config.when reads is more than ${MAX_CONDITION_BYTES} bytes; let it read single fields`,
  );
}
