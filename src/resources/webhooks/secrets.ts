// Which secrets a webhook has after a change: given, kept, or ending.
//   S1  A webhook without a usable secret is never active by mistake: a change that its secrets do not fit is refused.
//   S2  A new secret counts at once; those before it go on for a while, so that its sender can change over.
import type { Problem, Result } from '../../core/errors.ts';
import { referencedSecret } from '../../core/trigger/webhook.ts';
import type { StoredSecret } from '../../db/resources/webhook-secrets.ts';
import type { WebhookRow, WebhookSettings } from '../../db/resources/webhooks.ts';
import { variableFor } from '../../tasks/installation-secrets.ts';
import { SecretBoxError } from '../../triggers/secrets/secret-box.ts';
import {
  currentSecrets,
  openSecret,
  resolveSecret,
  type SecretSource,
  sealSecret,
} from '../../triggers/webhooks/stored-secrets.ts';
import type { VerificationOptions } from '../../triggers/webhooks/verification/verification-rule.ts';
import { checkSecret } from './secret-rule.ts';

/** How long the secrets before a new one go on: a day, and a year at most. */
export const OVERLAP_SECONDS = { default: 86_400, max: 31_536_000 } as const;
const MAX_SECRETS = 10;

/** What is wrong with a tenant's secret, without the spaces around it, for its use; by the value that it stands for. Pointer `/secret`. */
export async function secretProblems(
  text: string,
  tenantName: string,
  use: Pick<WebhookSettings, 'verifier' | 'authType' | 'options'>,
  source: Pick<SecretSource, 'secrets'>,
): Promise<Problem[]> {
  // Where nothing is verified any secret is taken, but not the want of one: the view would tell of a secret.
  if (text === '' && !needsSecret(use))
    return [{ pointer: '/secret', code: 'validation', message: 'a secret has more than spaces' }];
  const value = await resolveSecret(text, tenantName, source);
  if (value !== null)
    return checkSecret(use.verifier, use.authType, value, use.options as VerificationOptions);
  const name = referencedSecret(text)!;
  return [
    {
      pointer: '/secret',
      code: 'setting',
      message: `there is no ${variableFor(tenantName, name)}`,
      hint: 'set it where the service runs, and start it again',
    },
  ];
}

/** The secrets after a change: a new one before those that go on for a while, or those that there are. */
export async function changeSecrets(
  source: SecretSource,
  before: WebhookRow,
  after: WebhookSettings,
  {
    secret,
    overlapSeconds,
    nowMs,
  }: { readonly secret: string | undefined; readonly overlapSeconds: number; readonly nowMs: number },
): Promise<Result<readonly StoredSecret[]>> {
  const current = currentSecrets(before.secrets, nowMs);
  if (secret !== undefined) {
    const problems = await secretProblems(secret, before.tenantName, after, source);
    if (problems.length > 0) return { ok: false, problems };
    return rotateSecrets(current, sealSecret(secret, before, source, nowMs), { nowMs, overlapSeconds });
  }
  return !(await lacksSecret(source, before, after, nowMs))
    ? { ok: true, value: current }
    : {
        ok: false,
        problems: [
          {
            pointer: '/secret',
            code: 'validation',
            message: 'the webhook has no secret that fits this change',
            hint: 'give a new one with it',
          },
        ],
      };
}

/** Whether a change to these settings needs a secret that the webhook does not have. */
export async function lacksSecret(
  source: SecretSource,
  before: WebhookRow,
  after: WebhookSettings,
  nowMs: number,
): Promise<boolean> {
  const isSameUse =
    after.authType === before.authType &&
    after.verifier === before.verifier &&
    keyOf(after) === keyOf(before);
  if (isSameUse || !needsSecret(after)) return false;
  for (const { sealed } of currentSecrets(before.secrets, nowMs))
    if (await fitsUse(sealed, before, after, source)) return false;
  return true;
}

/** What of the options says how the secret is read. */
function keyOf({ options }: WebhookSettings): string {
  const { algorithm = 'sha256', keyEncoding = 'text' } = options as VerificationOptions;
  return `${algorithm === 'ed25519'} ${keyEncoding}`;
}

async function fitsUse(
  sealed: string,
  before: WebhookRow,
  after: WebhookSettings,
  source: SecretSource,
): Promise<boolean> {
  try {
    const text = openSecret(sealed, before, source);
    return (await secretProblems(text, before.tenantName, after, source)).length === 0;
  } catch (error) {
    if (error instanceof SecretBoxError) return false;
    throw error;
  }
}

/** SNS signs with a key of its own, whose certificate it names. */
export function needsSecret({ authType, verifier }: Pick<WebhookSettings, 'verifier' | 'authType'>): boolean {
  return authType !== 'none' || (verifier !== null && verifier !== 'sns');
}

/** Puts a new secret before the old ones, which go on for `overlapSeconds` at most. */
function rotateSecrets(
  stored: readonly StoredSecret[],
  added: StoredSecret,
  { nowMs, overlapSeconds }: { readonly nowMs: number; readonly overlapSeconds: number },
): Result<StoredSecret[]> {
  const endMs = nowMs + overlapSeconds * 1000;
  const kept = overlapSeconds === 0 ? [] : currentSecrets(stored, nowMs);
  if (kept.length >= MAX_SECRETS)
    return {
      ok: false,
      problems: [
        {
          pointer: '/secret',
          code: 'too_many',
          message: `${kept.length} secrets are in use; the limit is ${MAX_SECRETS}`,
          hint: 'previousSecretExpiresInSeconds: 0 ends the others at once',
        },
      ],
    };
  const ending = kept.map((secret) => ({
    ...secret,
    expiresAt: new Date(Math.min(endMs, Date.parse(secret.expiresAt ?? '') || endMs)).toISOString(),
  }));
  return { ok: true, value: [added, ...ending] };
}
