// Where the service that these settings make would serve webhooks, and what it would seal their secrets with.
import type { WebhookHost } from '../../resources/webhooks/webhooks.ts';
import { InstallationSecrets } from '../../tasks/installation-secrets.ts';
import { createSecretBox } from '../../triggers/secrets/secret-box.ts';
import type { Config } from './config.ts';

export function webhookHost({ outside, http }: Config): WebhookHost {
  const publicUrl = outside.publicUrl ?? `http://${http.host}:${http.port}`;
  return {
    secretBox: createSecretBox(http.encryptionKeys),
    secrets: outside.secrets ?? new InstallationSecrets(),
    publicUrl: publicUrl.replace(/\/+$/, ''),
  };
}
