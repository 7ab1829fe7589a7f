// Webhooks of a tenant: what people do with them, by HTTP and the command line alike. What they received: events.ts. `client` is
// in a transaction of the tenant's role.
//   M1  A secret is in an answer once: in that of the act that made it up.
//   M2  A webhook of a definition is changed by its definition; by hand only what no file says: status and secrets.
import type pg from 'pg';
import type { BoundedPage } from '../../db/connection/byte-bounded.ts';
import type { Acting } from '../../db/connection/connection.ts';
import * as rows from '../../db/resources/webhooks.ts';
import type { SecretSource } from '../../triggers/webhooks/stored-secrets.ts';
import type { VerificationOptions } from '../../triggers/webhooks/verification/verification-rule.ts';
import { done, invalid, notFound, type Outcome, type Refused, refused } from '../outcome.ts';
import { removedProblem } from '../removed.ts';
import { isPublicKey, newSecret } from './secret-rule.ts';
import { viewOfWebhook, type WebhookView } from './view.ts';
import {
  addWebhook,
  type GivenWebhook,
  PUBLIC_KEY,
  updateWebhook,
  type WebhookChange,
} from './write-webhook.ts';

/** Where webhooks are served, and what their secrets are sealed with. */
export interface WebhookHost extends SecretSource {
  /** Where senders reach the service, without a slash at the end. */
  readonly publicUrl: string;
}

/** With the secret that was made up. */
export type WebhookWithSecret = WebhookView & { readonly secret?: string };

/** Those that are there, newest first: at most `limit`, made before the id `before`. */
export async function listWebhooks(
  client: pg.ClientBase,
  { tenantId }: Acting,
  filter: {
    readonly limit: number;
    readonly before: string | null;
    readonly workflowId?: string | undefined;
  },
  { publicUrl }: Pick<WebhookHost, 'publicUrl'>,
): Promise<BoundedPage<WebhookView>> {
  const page = await rows.findWebhooks(client, tenantId, filter);
  return { ...page, rows: page.rows.map((row) => viewOfWebhook(row, publicUrl)) };
}

/** Also one that was removed. */
export async function showWebhook(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
  { publicUrl }: Pick<WebhookHost, 'publicUrl'>,
): Promise<Outcome<WebhookView>> {
  const found = await rows.findWebhook(client, tenantId, id);
  return found === null ? unknownWebhook(id) : done(viewOfWebhook(found, publicUrl));
}

export async function createWebhook(
  client: pg.ClientBase,
  acting: Acting,
  given: GivenWebhook,
  host: WebhookHost,
): Promise<Outcome<WebhookWithSecret>> {
  const made = await addWebhook(client, acting, given, host);
  if (!made.ok) return made;
  const { webhook, secret } = made.value;
  return done(withSecret(viewOfWebhook(webhook, host.publicUrl), secret));
}

/** What may be changed by hand of a webhook that belongs to a definition. */
const NOT_OF_THE_FILE: readonly (keyof WebhookChange)[] = [
  'status',
  'secret',
  'previousSecretExpiresInSeconds',
];

/** Changes what is named; with `isWhole` what is not named, but for its secrets, goes back to what it is without. */
export async function changeWebhook(
  client: pg.ClientBase,
  { tenantId }: Acting,
  given: {
    readonly id: string;
    readonly change: WebhookChange;
    readonly isWhole?: boolean;
    /** Makes up a new secret, instead of one in `change`. */
    readonly makesSecret?: boolean;
  },
  host: WebhookHost,
): Promise<Outcome<WebhookWithSecret>> {
  const { id, isWhole = false, makesSecret = false } = given;
  const before = await rows.lockWebhook(client, tenantId, id);
  if (before === null) return await refuseMissing(client, tenantId, id);
  const named = isWhole ? { ...ABSENT, ...given.change } : given.change;
  const { verifier = before.verifier, authType = before.authType } = named;
  const options = (named.options ?? before.options) as VerificationOptions;
  if (makesSecret && isPublicKey(verifier, options)) return invalid([PUBLIC_KEY]);
  const secret = makesSecret ? newSecret(verifier, authType, options) : null;
  const change = secret === null ? named : { ...named, secret };
  const isOfTheFile = (Object.keys(change) as (keyof WebhookChange)[]).some(
    (name) => !NOT_OF_THE_FILE.includes(name),
  );
  if (before.fromDefinition && isOfTheFile)
    return refused('from_definition', {
      pointer: '',
      code: 'from_definition',
      message: `the webhook belongs to the definition of "${before.workflowId}"`,
      hint: 'change its `triggers` and apply it; its status and its secret may be changed here',
    });
  const changed = await updateWebhook(client, before, change, host);
  if (!changed.ok) return changed;
  return done(withSecret(viewOfWebhook(changed.value, host.publicUrl), secret));
}

/** With its filters and events, also one that was removed; executions stay. */
export async function deleteWebhook(
  client: pg.ClientBase,
  { tenantId }: Acting,
  id: string,
): Promise<Outcome<{ readonly id: string }>> {
  return (await rows.deleteWebhook(client, tenantId, id)) ? done({ id }) : unknownWebhook(id);
}

export const unknownWebhook = (id: string): Refused => notFound('webhook', `there is no webhook ${id}`);

const ABSENT = {
  authType: undefined,
  verifier: undefined,
  options: undefined,
  methods: undefined,
  handshakes: undefined,
  respond: undefined,
  inputMapping: undefined,
  filters: undefined,
  priority: undefined,
  status: undefined,
} satisfies WebhookChange;

async function refuseMissing(client: pg.ClientBase, tenantId: string, id: string): Promise<Refused> {
  const removed = await rows.findWebhook(client, tenantId, id);
  return removed === null ? unknownWebhook(id) : refused('removed', removedProblem('webhook', removed));
}

// M1
const withSecret = (view: WebhookView, secret: string | null): WebhookWithSecret =>
  secret === null ? view : { ...view, secret };
