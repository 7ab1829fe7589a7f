// What is said when the database cannot be used: the one place for all commands.
import { isConnectionLoss } from '../db/connection/connection.ts';
import { TAKEN_ROLES } from '../db/connection/roles.ts';
import { EmbeddedError } from '../db/embedded/server.ts';
import { MigrationError } from '../db/operations/migrate.ts';
import { type Refusal, refuse } from './refusal.ts';

/** Null: the error is not about the database being reached, let in or brought up to date. */
export function databaseRefusal(
  error: unknown,
  { databaseUrl }: { readonly databaseUrl: string | undefined },
): Refusal | null {
  if (error instanceof EmbeddedError) return refuse('embedded_database', error.message, error.hint);
  if (error instanceof MigrationError) return refuse('migration', error.message, error.hint);
  if (!(error instanceof Error)) return null;
  const code = String((error as { code?: unknown }).code);
  const reason = error.message || 'no answer';
  if (isConnectionLoss(error)) {
    const hint =
      databaseUrl === undefined
        ? 'dagwright db status'
        : /unsupported startup parameter/.test(reason)
          ? 'DATABASE_URL is a transaction pooler: set DIRECT_DATABASE_URL to the PostgreSQL behind it'
          : 'check DATABASE_URL, and that the server runs';
    return refuse('database', `cannot reach the database: ${reason}`, hint);
  }
  if (isRefusedLogin(code, reason))
    return refuse(
      'database',
      `the database refuses the connection: ${reason}`,
      'check user, password, database and sslmode of DATABASE_URL',
    );
  if (code === INSUFFICIENT_PRIVILEGE)
    return refuse(
      'database',
      `the login of the database may not do this: ${reason}`,
      `as a superuser: grant ${TAKEN_ROLES.join(', ')} to ${loginOf(databaseUrl)}`,
    );
  return null;
}

const INSUFFICIENT_PRIVILEGE = '42501';

// No such user or password, no such database; TLS where the server has none, or with a certificate that nobody vouches for.
function isRefusedLogin(code: string, reason: string): boolean {
  return (
    /^(28...|3D000)$/.test(code) ||
    /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED)/.test(code) ||
    /SSL|self-signed certificate/i.test(reason)
  );
}

function loginOf(databaseUrl: string | undefined): string {
  const name = databaseUrl === undefined ? '' : decodeURIComponent(new URL(databaseUrl).username);
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : name === '' ? 'LOGIN' : `"${name.replaceAll('"', '""')}"`;
}
