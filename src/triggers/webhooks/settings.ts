// The settings of a webhook as its owner gives them, from HTTP, the command line or a definition: checked all at once.
import type { Problem, Result } from '../../core/errors.ts';
import { isStorableText, type Json, type JsonObject, toStorableJson } from '../../core/json.ts';
import type { WebhookSettings } from '../../db/resources/webhooks.ts';
import { compileFilters } from './filter.ts';
import { compileInputMapping } from './mapping.ts';
import { type AuthType, readVerificationOptions, type Verifier } from './verification-rule.ts';

/** What may be given; the types of the members are checked before (http/routes/webhooks.ts). */
export interface GivenSettings {
  readonly workflowId: string;
  /** `orders`, or with the tenant's name before it. */
  readonly path: string;
  /** Default: `none` with a verifier, else `secret`: nothing is open by omission. */
  readonly authType?: AuthType | undefined;
  readonly verifier?: Verifier | null | undefined;
  readonly options?: Json | undefined;
  readonly inputMapping?: Json | undefined;
  readonly filters?: Json | undefined;
  /** 1 to 10, higher first. Default 5. */
  readonly priority?: number | undefined;
  readonly status?: 'active' | 'paused' | undefined;
}

const PATH = /^[a-z0-9][a-z0-9_-]*(?:\/[a-z0-9][a-z0-9_-]*)*$/;
const MAX_PATH_CHARS = 200;

/** Whether a text can be the path of a webhook: nothing else is looked up. */
export function isWebhookPath(text: string): boolean {
  return text.length <= MAX_PATH_CHARS && PATH.test(text);
}

/** All problems at once, with pointers into what was given. */
export function readSettings(given: GivenSettings, tenantName: string): Result<WebhookSettings> {
  const { workflowId, verifier = null, priority = 5, status = 'active' } = given;
  const { authType = verifier === null ? 'secret' : 'none' } = given;
  const path = ownPath(given.path, tenantName);
  const options = readVerificationOptions(given.options);
  const filters = compileFilters(given.filters);
  const mapping = compileInputMapping(given.inputMapping);
  const problems: Problem[] = [
    ...(isWebhookPath(path) ? [] : [pathProblem(path, tenantName)]),
    ...(isStorableText(workflowId)
      ? []
      : [
          { pointer: '/workflowId', code: 'validation', message: 'workflowId has characters that no id has' },
        ]),
    ...[options, filters, mapping].flatMap((read) => (read.ok ? [] : read.problems)),
    ...unstorable('/filters', given.filters),
    ...unstorable('/inputMapping', given.inputMapping),
  ];
  if (problems.length > 0 || !options.ok) return { ok: false, problems };
  return {
    ok: true,
    value: {
      workflowId,
      path,
      authType,
      verifier,
      options: options.value as JsonObject,
      inputMapping: given.inputMapping ?? null,
      filters: (given.filters ?? []) as readonly JsonObject[],
      priority,
      status,
    },
  };
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
