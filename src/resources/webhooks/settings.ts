// The settings of a webhook as its owner gives them, from HTTP, the command line or a definition: checked all at once.
import type { Problem, Result } from '../../core/errors.ts';
import { BuildBudget, currentBuildBudget, withBuildBudget } from '../../core/expression/build-budget.ts';
import { isStorableText, type Json, type JsonObject, toStorableJson } from '../../core/json.ts';
import { PRIORITY } from '../../core/priority.ts';
import {
  isWebhookPath,
  MAX_PATH_CHARS,
  type WebhookAuthType,
  type WebhookStatus,
  type WebhookVerifier,
} from '../../core/trigger/webhook.ts';
import type { WebhookSettings } from '../../db/resources/webhooks.ts';
import { compileFilters } from '../../triggers/webhooks/event/filter.ts';
import { compileInputMapping } from '../../triggers/webhooks/event/mapping.ts';
import {
  methodConflicts,
  proofProblems,
  readHandshakes,
  readMethods,
  readRespond,
} from './answer-settings.ts';
import { optionConflicts, readVerificationOptions } from './verification-options.ts';

/** What may be given; the types of the members are checked before (http/schemas/webhooks.ts). */
export interface GivenSettings {
  readonly workflowId: string;
  /** `orders`, or with the tenant's name before it. */
  readonly path: string;
  /** Default: `none` with a verifier, else `secret`: nothing is open by omission. */
  readonly authType?: WebhookAuthType | undefined;
  readonly verifier?: WebhookVerifier | null | undefined;
  readonly options?: Json | undefined;
  readonly methods?: Json | undefined;
  readonly handshakes?: Json | undefined;
  readonly respond?: Json | undefined;
  readonly inputMapping?: Json | undefined;
  readonly filters?: Json | undefined;
  /** 1 to 10, higher first. Default 5. */
  readonly priority?: number | undefined;
  readonly status?: WebhookStatus | undefined;
}

/** All problems at once, with pointers into what was given. */
export function readSettings(given: GivenSettings, tenantName: string): Result<WebhookSettings> {
  const { workflowId, verifier = null, priority = PRIORITY.default, status = 'active' } = given;
  const { authType = verifier === null ? 'secret' : 'none' } = given;
  const path = ownPath(given.path, tenantName);
  const options = readVerificationOptions(given.options);
  const methods = readMethods(given.methods);
  const handshakes = readHandshakes(given.handshakes, verifier);
  // What their patterns cost to build is paid from the budget of the file that they stand in, or from one of their own.
  const budget = currentBuildBudget() ?? BuildBudget.ofWebhook();
  const { respond, filters, mapping } = withBuildBudget(budget, () => ({
    respond: readRespond(given.respond),
    filters: readFilters(given.filters),
    mapping: compileInputMapping(given.inputMapping),
  }));
  const problems: Problem[] = [
    ...(isWebhookPath(path) ? [] : [pathProblem(path, tenantName)]),
    ...(isStorableText(workflowId)
      ? []
      : [
          {
            pointer: '/workflowId',
            code: 'validation' as const,
            message: 'workflowId has characters that no id has',
          },
        ]),
    ...[options, methods, handshakes, respond, filters, mapping].flatMap((read) =>
      read.ok ? [] : read.problems,
    ),
    ...(options.ok ? optionConflicts(verifier, options.value) : []),
    ...(options.ok && methods.ok ? methodConflicts(methods.value, verifier, options.value.template) : []),
    ...(handshakes.ok ? proofProblems(handshakes.value, authType, verifier) : []),
    ...unstorable('/filters', given.filters),
    ...unstorable('/inputMapping', given.inputMapping),
    ...unstorable('/respond', given.respond),
  ];
  if (problems.length > 0 || !options.ok || !methods.ok || !handshakes.ok || !respond.ok)
    return { ok: false, problems };
  return {
    ok: true,
    value: {
      workflowId,
      path,
      authType,
      verifier,
      options: options.value as JsonObject,
      methods: methods.value,
      handshakes: handshakes.value,
      respond: respond.value,
      inputMapping: given.inputMapping ?? null,
      filters: (given.filters ?? []) as readonly JsonObject[],
      priority,
      status,
    },
  };
}

// None are an empty list, not null.
function readFilters(given: Json | undefined) {
  return compileFilters(given === null ? false : given);
}

// The first segment is taken for the tenant's name where it is it.
function ownPath(path: string, tenantName: string): string {
  return path.startsWith(`${tenantName}/`) ? path.slice(tenantName.length + 1) : path;
}

function pathProblem(path: string, tenantName: string): Problem {
  const lower = path.toLowerCase().replace(/^\/+|\/+$/g, '');
  const example = isWebhookPath(lower) ? lower : 'orders';
  return {
    pointer: '/path',
    code: 'validation',
    message: `a path is lower-case letters, digits, "-" and "_" in parts with "/" between them, at most ${MAX_PATH_CHARS} characters`,
    hint: `${example}, which is reached as /hooks/${tenantName}/${example}`,
  };
}

function unstorable(pointer: string, value: Json | undefined): Problem[] {
  const stored = toStorableJson(value ?? null);
  return stored.ok ? [] : [{ pointer, code: stored.code, message: `${pointer.slice(1)} ${stored.message}` }];
}
