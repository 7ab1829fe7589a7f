// What can be said of a start without a database: values that cannot be stored, and the words for each refusal.
import type { Problem } from '../../core/errors.ts';
import { toStorableJson } from '../../core/json.ts';
import type { StartProblem, StartRequest } from '../../db/executions/execution-starts.ts';

/** What only an older guess of the revision meets is asked again, and no answer. */
export type FinalProblem = Exclude<StartProblem, 'stale'>;

/** Why a start was refused. `validation` and `payload_too_large` name places in the request: `/input/…`, `/metadata`. */
export type StartRefusal = FinalProblem | 'validation' | 'payload_too_large';

export type StartResult =
  | {
      readonly ok: true;
      readonly id: string;
      /** An earlier request with the same idempotency key had started it. */
      readonly existing: boolean;
    }
  | { readonly ok: false; readonly code: StartRefusal; readonly problems: readonly Problem[] };

/** What the operator's limits of a tenant refuse: the same start may pass a moment later. */
const AT_LIMIT = ['too_many_starts', 'too_many_waiting'] as const satisfies readonly StartRefusal[];
export type TenantLimit = (typeof AT_LIMIT)[number];

/** Whether a refusal is one of the operator's limits of the tenant. */
export function isAtLimit(code: string): code is TenantLimit {
  return AT_LIMIT.some((limit) => limit === code);
}

/** A tenant at its limits has room again as its executions begin, or its minute goes by. */
export const LIMIT_RETRY_SECONDS = 5;

type Refused = Extract<StartResult, { ok: false }>;

/** Bytes (UTF-8 JSON) of an execution's metadata. */
const MAX_METADATA_BYTES = 16_000;

/** Problems of the values themselves; null where they can be stored. */
export function refuseValues(request: StartRequest): Refused | null {
  const parts = [
    ['/input', request.input, undefined],
    ['/metadata', request.metadata, MAX_METADATA_BYTES],
  ] as const;
  for (const [pointer, value, maxBytes] of parts) {
    const stored = toStorableJson(value, maxBytes);
    if (stored.ok) continue;
    const code = stored.code === 'payload_too_large' ? stored.code : 'validation';
    return {
      ok: false,
      code,
      problems: [
        {
          pointer,
          code: code === 'validation' ? 'unstorable' : code,
          message: `${pointer.slice(1)} ${stored.message}`,
        },
      ],
    };
  }
  return null;
}

/** The refusal in words. */
export function refuseStart(problem: FinalProblem, { workflowId, revision }: StartRequest): Refused {
  const of = revision === undefined ? '' : ` with revision ${revision}`;
  const words: Record<FinalProblem, [pointer: string, message: string, hint?: string]> = {
    not_found: ['', `there is no workflow "${workflowId}"${of}`, 'apply its definition first'],
    not_active: ['', `workflow "${workflowId}" is not active`, 'set its status to active'],
    tenant_suspended: ['', 'the tenant is suspended; nothing of it starts'],
    tier_too_low: [
      '',
      `workflow "${workflowId}" needs a tenant of a higher tier`,
      'see minTier of its definition',
    ],
    key_reused: [
      '',
      'the idempotency key came before with another request',
      'use a new key for each request',
    ],
    too_many_starts: [
      '',
      'the tenant has started as many executions within a minute as it may',
      'start it again within a minute',
    ],
    too_many_waiting: [
      '',
      'the tenant has as many executions waiting as it may',
      'start it again when some have begun',
    ],
  };
  const [pointer, message, hint] = words[problem];
  return {
    ok: false,
    code: problem,
    problems: [{ pointer, code: problem, message, ...(hint === undefined ? {} : { hint }) }],
  };
}
