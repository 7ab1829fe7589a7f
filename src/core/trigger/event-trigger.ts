// What a trigger of type `event` says: which events start its workflow, and with which input. Compiled and evaluated here,
// the same way when a definition is validated and when an event has come.
import type { Problem, Result } from '../errors.ts';
import { EvaluationBudget } from '../expression/evaluation-budget.ts';
import {
  compileCondition,
  compileMapping,
  evaluateCondition,
  evaluateMapping,
  type Reference,
} from '../expression/mapping.ts';
import { nearestName } from '../expression/nearest.ts';
import { FUNCTION_CONTEXT, type Scope, STEP_BUDGET } from '../expression/scope.ts';
import type { Json, JsonObject } from '../json.ts';

/** An event as triggers see it. */
export interface TriggeringEvent {
  readonly id: string;
  readonly type: string;
  readonly payload: Json;
  /** When it was emitted: ISO 8601, UTC. */
  readonly at: string;
}

export interface CompiledEventTrigger {
  /** Throws ExpressionError. */
  matches(scope: Scope): boolean;
  /** Input of the execution. Throws ExpressionError. */
  inputOf(scope: Scope): Json;
}

/** `trigger` is there so that an expression of a task fits here too. */
const ROOTS = ['event', 'payload', 'trigger'] as const;
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  event: ['id', 'type', 'payload', 'at'],
  trigger: ['type', 'at', 'event', 'eventId', 'body'],
};

/** `when` and `inputMapping` compiled; problems with pointers below `pointer`. Null is absent. */
export function compileEventTrigger(
  { when, inputMapping }: { readonly when?: Json | undefined; readonly inputMapping?: Json | undefined },
  pointer = '',
): Result<CompiledEventTrigger> {
  const condition = compileCondition(when ?? true, `${pointer}/when`, { roots: ROOTS });
  const mapping = compileMapping(inputMapping ?? '$.payload', `${pointer}/inputMapping`, { roots: ROOTS });
  const problems = [condition, mapping].flatMap((compiled) =>
    compiled.ok ? compiled.value.references.flatMap(unknownMember) : compiled.problems,
  );
  if (!condition.ok || !mapping.ok || problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      matches: (scope) => evaluateCondition(condition.value, scope),
      inputOf: (scope) => evaluateMapping(mapping.value, scope),
    },
  };
}

/** For the expressions of one trigger. `now()` is when the event was emitted; `uuidFrom` makes the same id of the same text, so that a retry gets the same. */
export function eventScope(event: TriggeringEvent, uuidFrom: (text: string) => string): Scope {
  const scope = {
    event: { ...event },
    payload: event.payload,
    [FUNCTION_CONTEXT]: {
      now: event.at,
      uuid: (ordinal: number) => uuidFrom(`${event.id}#${ordinal}`),
    },
    [STEP_BUDGET]: new EvaluationBudget(),
  };
  // Not enumerable: a query over the whole must not find everything twice.
  return Object.defineProperty(scope, 'trigger', { value: triggerOf(event) });
}

/** `trigger` of the executions that an event starts (CONTRACT 2.2). */
export function triggerOf({ id, type, payload, at }: TriggeringEvent): JsonObject {
  return { type: 'event', at, event: type, eventId: id, body: payload };
}

function unknownMember({ root, path, pointer }: Reference): Problem[] {
  const known = MEMBERS[root];
  const [member] = path;
  if (known === undefined || member === undefined || known.includes(String(member))) return [];
  const near = nearestName(String(member), known);
  return [
    {
      pointer,
      code: 'excluded_path',
      message: `"${root}" has no ${JSON.stringify(member)}`,
      hint: near === null ? `it has ${known.join(', ')}` : `did you mean "${near}"?`,
    },
  ];
}
