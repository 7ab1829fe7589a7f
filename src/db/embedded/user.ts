// Who runs the server. PostgreSQL refuses to run as root, so root hands it to an existing unprivileged user by spawn's
// uid and gid: no sudo, no su, and no user is ever created. Everybody else runs it as themselves (undefined here).
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { EmbeddedError } from './error.ts';

export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The user for root's servers (`postgres`, else `nobody`); undefined when this process is not root. */
export function serverUser(passwd: string = readPasswd()): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = parsePasswd(passwd).filter((user) => user.uid !== 0);
  const user = users.find(({ name }) => name === 'postgres') ?? users.find(({ name }) => name === 'nobody');
  if (user) return user;
  throw new EmbeddedError(
    'PostgreSQL does not run as root, and /etc/passwd has neither "postgres" nor "nobody" to run it as',
    'Run the command as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.',
  );
}

/** The owner of data that exist already; root runs them as that user, whoever made them. */
export function userOf(uid: number, gid: number): ServerUser {
  const known = parsePasswd(readPasswd()).find((user) => user.uid === uid);
  return known ?? { name: `uid ${uid}`, uid, gid };
}

/** The spawn options that make a child that user. The kernel, not a reading of mode bits, then decides what it may do. */
export function asUser(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user ? { uid: user.uid | 0, gid: user.gid | 0 } : {};
}

/** Asks the kernel whether that user can enter a folder and everything above it. */
export function canEnter(user: ServerUser | undefined, folder: string): boolean {
  return passes(user, 'cd "$1"', folder);
}

/** Asks the kernel whether that user can execute a program. */
export function canExecute(user: ServerUser | undefined, program: string): boolean {
  return passes(user, 'test -x "$1"', program);
}

function passes(user: ServerUser | undefined, script: string, path: string): boolean {
  const options = { ...asUser(user), cwd: '/', env: {}, stdio: 'ignore' } as const;
  const { error, status } = spawnSync('/bin/sh', ['-c', script, 'sh', path], options);
  if (!error) return status === 0;
  throw new EmbeddedError(
    `Cannot start a process as ${user ? `user "${user.name}"` : 'this user'}: ${error.message}`,
    'Run the command as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.',
    { cause: error },
  );
}

function parsePasswd(passwd: string): ServerUser[] {
  return passwd.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }] : [];
  });
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}
