// The URL of a database as people write it, with a password from a generator in the middle. No message holds any of it.
import type { Problem } from '../../core/errors.ts';

const FORM = 'postgres://user:password@host:port/database';

/** What is wrong with a database's URL; null: nothing. `name`: of its variable. */
export function databaseUrlProblem(name: string, value: string): Problem | null {
  const problem: Problem = { pointer: name, code: 'setting', message: `${name} must be a URL ${FORM}` };
  if (!/^postgres(ql)?:\/\//.test(value)) return problem;
  if (isPasswordPlain(value))
    return {
      ...problem,
      message: `${name} cannot be read: its password has characters that end a part of a URL`,
      hint: 'write them as they stand in URLs: / as %2F, ? as %3F, # as %23, @ as %40, : as %3A, % as %25; or take another: openssl rand -hex 24',
    };
  return URL.canParse(value) ? null : problem;
}

// The host is where the first of / ? # is: with one of them in the password, the rest of that, and the @, come after it.
function isPasswordPlain(value: string): boolean {
  if (!URL.canParse(value)) return /^\w+:\/\/[^/?#@]*:[^@]*[/?#][^@]*@/.test(value);
  const { username, password, pathname, search, hash } = new URL(value);
  if (!isDecodable(username) || !isDecodable(password)) return true;
  return (
    pathname.includes('@') ||
    hash.includes('@') ||
    (username === '' && pathname === '' && search.includes('@'))
  );
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
