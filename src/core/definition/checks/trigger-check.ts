// Checks what the structure of `triggers` does not say: when schedules fire and with which input, the expressions of event
// triggers, names given twice. Entries whose structure is broken are checked as far as they go.
import type { Problem } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { checkSettings, endProblems } from '../../schedule/settings.ts';
import { compileEventTrigger } from '../../trigger/event-trigger.ts';
import { WEBHOOK_AUTH_TYPES, WEBHOOK_VERIFIERS } from '../../trigger/webhook.ts';
import { webhookWarnings } from '../../trigger/webhook-warnings.ts';
import { joinPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';
import type { Reporter } from '../reporter.ts';
import { applyDefaults, type CompiledSchema } from '../schema/input-schema.ts';
import type { ValidationBudget } from '../schema/steps.ts';

/** By what a trigger is known from one revision to the next. */
const KEYS: Readonly<Record<string, (trigger: JsonObject) => Json | undefined>> = {
  schedule: ({ name }) => name,
  webhook: ({ path }) => path,
  event: ({ name, event }) => name ?? event,
};

export interface TriggerCheck {
  /** Of the document, where it has one that can be used. */
  readonly inputSchema: CompiledSchema | null;
  /** What validations of the document may take together. */
  readonly steps: ValidationBudget;
  readonly reporter: Reporter;
  /** Absent: whether a schedule has ended is not asked. */
  readonly nowMs?: number | undefined;
}

export function checkTriggers(document: JsonObject, check: TriggerCheck): void {
  const { triggers } = document;
  const { reporter } = check;
  if (!Array.isArray(triggers)) return;
  const seen = new Set<string>();
  (triggers as readonly Json[]).forEach((trigger, i) => {
    if (!isJsonObject(trigger)) return;
    const pointer = joinPointer('/triggers', i);
    if (trigger.type === 'schedule') checkSchedule(trigger, pointer, document, check);
    if (trigger.type === 'webhook') warnOfWebhook(trigger, pointer, reporter);
    if (trigger.type === 'event') {
      const compiled = compileEventTrigger(trigger, pointer);
      if (!compiled.ok) reporter.errors(compiled.problems);
    }
    const kind = String(trigger.type);
    const key = Object.hasOwn(KEYS, kind) ? KEYS[kind]!(trigger) : undefined;
    if (typeof key !== 'string') return;
    if (seen.has(`${kind} ${key}`)) {
      const field = kind === 'webhook' ? 'path' : 'name';
      reporter.error(
        joinPointer(pointer, field),
        'duplicate_trigger',
        `there is another ${kind} trigger with the ${field} ${quoteText(key)}`,
        'each has one of its own',
      );
    }
    seen.add(`${kind} ${key}`);
  });
}

function warnOfWebhook(trigger: JsonObject, pointer: string, reporter: Reporter): void {
  const verifier = WEBHOOK_VERIFIERS.find((one) => one === trigger.verifier) ?? null;
  const authType = WEBHOOK_AUTH_TYPES.find((one) => one === trigger.authType) ?? 'none';
  for (const warning of webhookWarnings({ authType, verifier, options: trigger.options ?? {} }))
    reporter.warn(pointer + warning.pointer, warning.code, warning.message, warning.hint);
}

function checkSchedule(
  trigger: JsonObject,
  pointer: string,
  document: JsonObject,
  check: TriggerCheck,
): void {
  const text = (field: string): string | undefined =>
    typeof trigger[field] === 'string' ? trigger[field] : undefined;
  const checked = checkSettings({
    workflowId: '',
    // What is missing or no text has been said.
    name: text('name') || 'unnamed',
    cronExpression: text('cronExpression') ?? '* * * * *',
    timezone: text('timezone'),
    startAt: text('startAt'),
    endAt: text('endAt'),
    input: trigger.input,
  });
  const problems = checked.ok
    ? [...endProblems(checked.value, check.nowMs), ...inputProblems(trigger.input ?? {}, document, check)]
    : checked.problems;
  check.reporter.errors(problems.map((problem) => ({ ...problem, pointer: pointer + problem.pointer })));
}

/** A schedule's input is known here, so it must fit. */
function inputProblems(
  input: Json,
  document: JsonObject,
  { inputSchema, steps }: TriggerCheck,
): readonly Problem[] {
  const defaults = isJsonObject(document.defaultParameters) ? document.defaultParameters : undefined;
  return (inputSchema?.validate(applyDefaults(defaults, input), steps) ?? []).map((problem) => ({
    ...problem,
    pointer: `/input${problem.pointer}`,
  }));
}
