// A webhook as answers show it: never with a secret.
import type { DefinitionStatus } from '../../core/definition/model.ts';
import type { Problem } from '../../core/errors.ts';
import { withoutToken } from '../../core/trigger/verify-token.ts';
import { webhookWarnings } from '../../core/trigger/webhook-warnings.ts';
import type { WebhookRow, WebhookSettings } from '../../db/resources/webhooks.ts';
import { currentSecrets } from '../../triggers/webhooks/stored-secrets.ts';

export interface WebhookView extends WebhookSettings {
  readonly id: string;
  /** As it follows /hooks/: begins with the tenant's name. */
  readonly path: string;
  readonly url: string;
  /** Only that of an active one starts; null: there is no such workflow. */
  readonly workflowStatus: DefinitionStatus | null;
  readonly hasSecret: boolean;
  /** What is allowed and probably not meant. */
  readonly warnings: readonly Problem[];
  /** Those that are taken now, without themselves. */
  readonly secrets: readonly { readonly createdAt: string; readonly expiresAt: string | null }[];
  readonly fromDefinition: boolean;
  readonly removedAt: string | null;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** `path` as it follows /hooks/; `publicUrl` without a slash at its end. */
export function urlOfWebhook(publicUrl: string, path: string): string {
  return `${publicUrl}/hooks/${path}`;
}

export function viewOfWebhook(row: WebhookRow, publicUrl: string): WebhookView {
  const path = `${row.tenantName}/${row.path}`;
  const secrets = currentSecrets(row.secrets, Date.now());
  return {
    id: row.id,
    workflowId: row.workflowId,
    path,
    url: urlOfWebhook(publicUrl, path),
    authType: row.authType,
    verifier: row.verifier,
    options: row.options,
    methods: row.methods,
    handshakes: row.handshakes === null ? null : withoutToken(row.handshakes),
    respond: row.respond,
    inputMapping: row.inputMapping,
    filters: row.filters,
    priority: row.priority,
    status: row.status,
    workflowStatus: row.workflowStatus,
    hasSecret: secrets.length > 0,
    warnings: webhookWarnings(row),
    secrets: secrets.map(({ createdAt, expiresAt }) => ({ createdAt, expiresAt })),
    fromDefinition: row.fromDefinition,
    removedAt: row.removedAt,
    createdBy: row.createdBy,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
