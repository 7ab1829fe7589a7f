// Secrets that a save refers to are read before its transaction, not within: a store may take its time (a vault), and a transaction
// holds a connection and locks. Which they are the save itself finds out, so it begins, is undone, and runs again with what was read.
import type { SecretStore } from '../../tasks/installation-secrets.ts';
import type { Secret } from '../../tasks/secret.ts';
import type { SecretSource } from './stored-secrets.ts';

/** Undoes a transaction that needs a secret which nobody has read yet. */
class NotReadYet extends Error {}

/**
 * Runs a transaction with a host whose secrets answer at once. `run` begins it, and may run again: as often as it comes upon
 * secrets that it has not named before.
 */
export async function withSecretsAhead<Host extends Pick<SecretSource, 'secrets'>, Result>(
  host: Host,
  run: (host: Host) => Promise<Result>,
): Promise<Result> {
  const known = new Map<string, Secret | null>();
  for (;;) {
    const wanted = new Map<string, readonly [tenantName: string, name: string]>();
    const secrets: SecretStore = {
      async read(...which) {
        const key = which.join(' ');
        const found = known.get(key);
        if (found !== undefined) return found;
        wanted.set(key, which);
        throw new NotReadYet('a secret is read before the transaction');
      },
    };
    try {
      return await run({ ...host, secrets });
    } catch (error) {
      if (!(error instanceof NotReadYet)) throw error;
    }
    for (const [key, which] of wanted) known.set(key, await host.secrets.read(...which));
  }
}
