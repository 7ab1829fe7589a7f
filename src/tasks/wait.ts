// `wait`: for some seconds, until an instant, or for a signal (wait-for-signal.ts). Holds no slot: the engine's timer wakes it.
import type { NodeDefinition } from '../core/definition/model.ts';
import { evaluateMapping, type Mapping } from '../core/expression/mapping.ts';
import { compileField, invalidField, readField } from './compile-config.ts';
import type { TaskContext, TaskType } from './task-type.ts';
import { prepareSignalWait } from './wait-for-signal.ts';

const MAX_SECONDS = 315_360_000;
const INSTANT = /^(\d{4}-\d\d-\d\d)[Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/;

export const wait: TaskType = {
  type: 'wait',
  isPure: true,
  prepare(node) {
    if (readField(node, 'signal') !== undefined) return prepareSignalWait(node);
    const field = readField(node, 'until') === undefined ? 'seconds' : 'until';
    const mapping = compileField(node, field);
    return {
      mappings: [mapping],
      run(context) {
        const firedAt = { kind: 'completed', output: { firedAt: context.now } } as const;
        if (context.phase === 'timer') return firedAt;
        const delayMs =
          field === 'seconds' ? secondsMs(node, mapping, context) : untilMs(node, mapping, context);
        return delayMs <= 0 ? firedAt : { kind: 'wait', delayMs };
      },
    };
  },
};

function secondsMs(node: NodeDefinition, mapping: Mapping, context: TaskContext): number {
  const seconds = evaluateMapping(mapping, context.scope);
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= MAX_SECONDS))
    throw invalidField(node, 'seconds', `a number from 0 to ${MAX_SECONDS}`, seconds);
  return Math.ceil(seconds * 1000);
}

function untilMs(node: NodeDefinition, mapping: Mapping, context: TaskContext): number {
  const until = evaluateMapping(mapping, context.scope);
  const instant = typeof until === 'string' ? parseInstant(until) : null;
  if (instant === null)
    throw invalidField(node, 'until', 'an instant with its offset, such as 2030-01-31T09:00:00Z', until);
  const delayMs = instant - Date.parse(context.now);
  if (delayMs > MAX_SECONDS * 1000) throw invalidField(node, 'until', 'an instant within ten years', until);
  return delayMs;
}

/** Milliseconds since 1970 of an ISO 8601 instant, or null. Date.parse would take 30 February for 2 March. */
export function parseInstant(text: string): number | null {
  const day = INSTANT.exec(text)?.[1];
  if (day === undefined) return null;
  const midnight = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return null;
  const instant = Date.parse(text.toUpperCase());
  return Number.isNaN(instant) ? null : instant;
}
