// What is said when the database cannot be used: the one place for commands and the library.
import type { Problem } from '../../core/errors.ts';
import { isConnectionLoss } from '../connection/connection.ts';
import { TAKEN_ROLES } from '../connection/roles.ts';
import { EmbeddedError } from '../embedded/error.ts';
import { IsolationError } from './isolation-check.ts';
import { MigrationError } from './migrate.ts';

/** Empty: the error is not about the database being reached, let in, brought up to date or fit. */
export function databaseProblems(
  error: unknown,
  { databaseUrl }: { readonly databaseUrl: string | undefined },
): readonly Problem[] {
  const one = (code: Problem['code'], message: string, hint: string) => [
    { pointer: '', code, message, hint },
  ];
  if (error instanceof EmbeddedError) return one('embedded_database', error.message, error.hint);
  if (error instanceof MigrationError) return one('migration', error.message, error.hint);
  if (error instanceof IsolationError)
    return error.problems.flatMap(({ problem, fix }) =>
      one('isolation', `the database would not keep tenants apart: ${problem}`, fix),
    );
  if (!(error instanceof Error)) return [];
  const code = String((error as { code?: unknown }).code);
  const reason = error.message || 'no answer';
  if (isConnectionLoss(error)) {
    const hint =
      databaseUrl === undefined
        ? 'dagwright db status'
        : /unsupported startup parameter/.test(reason)
          ? 'DATABASE_URL is a transaction pooler: set DIRECT_DATABASE_URL to the PostgreSQL behind it'
          : 'check DATABASE_URL, and that the server runs';
    return one('database', `cannot reach the database: ${reason}`, hint);
  }
  if (isRefusedLogin(code, reason))
    return one(
      'database',
      `the database refuses the connection: ${reason}`,
      'check user, password, database and sslmode of DATABASE_URL',
    );
  if (code === INSUFFICIENT_PRIVILEGE)
    return one(
      'database',
      `the login of the database may not do this: ${reason}`,
      `as a superuser: grant ${TAKEN_ROLES.join(', ')} to ${loginOf(databaseUrl)}`,
    );
  return [];
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
