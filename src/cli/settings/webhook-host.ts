// Where webhooks are served, as far as these settings tell, and what their secrets are sealed with.
import type { Outcome } from '../../resources/outcome.ts';
import type { WebhookHost } from '../../resources/webhooks/webhooks.ts';
import { InstallationSecrets } from '../../tasks/installation-secrets.ts';
import { createSecretBox } from '../../triggers/secrets/secret-box.ts';
import type { Config } from './config.ts';
import { findServiceUrl } from './service-address.ts';

export function webhookHost(config: Config): WebhookHost {
  const { http, outside } = config;
  return {
    secretBox: createSecretBox(http.encryptionKeys),
    secrets: outside.secrets ?? new InstallationSecrets(),
    publicUrl: publicUrlOf(config).url.replace(/\/+$/, ''),
  };
}

/** Where others reach the service. A guess: nothing here says where it listens, which is another process. */
export function publicUrlOf(config: Config): { readonly url: string; readonly isGuess: boolean } {
  const { http, outside, isPublicUrlGiven } = config;
  const url = outside.publicUrl ?? `http://${http.host}:${http.port}`;
  if (isPublicUrlGiven || http.isPortGiven) return { url, isGuess: false };
  const running = config.databaseUrl === undefined ? findServiceUrl(config.home) : null;
  return running === null ? { url, isGuess: true } : { url: running, isGuess: false };
}

/** What to add where addresses are printed; null: they are known. */
export function guessNote(config: Config): string | null {
  const { url, isGuess } = publicUrlOf(config);
  return isGuess
    ? `the address ${url} is where the service listens by default; with PORT or DAGWRIGHT_PUBLIC_URL as the service has it, it is printed as it is`
    : null;
}

/** A secret that this command does not have may well be where the service runs: what is missing is missing here. */
export function inOwnEnvironment<Value>(
  outcome: Outcome<Value>,
  { server = null }: { readonly server?: object | null } = {},
): Outcome<Value> {
  if (outcome.ok || server !== null) return outcome;
  const problems = outcome.problems.map((problem) =>
    problem.code === 'setting'
      ? {
          ...problem,
          message: `${problem.message} in the environment of this command`,
          hint: 'the secret is checked here before it is saved: set it here too (or in .env of this folder), and where the service runs',
        }
      : problem,
  );
  return { ...outcome, problems };
}
