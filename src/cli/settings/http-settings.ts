// The settings of the HTTP service, out of the environment: where it listens, keys, limits.
import { readFileSync, statSync } from 'node:fs';
import type { Problem } from '../../core/errors.ts';
import { createProxyCheck, isProxyEntry } from '../../http/caller/proxies.ts';
import { readEncryptionKeys } from '../../triggers/secrets/encryption-key.ts';

export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  /** PORT was given: also workers and schedulers then answer probes there. */
  readonly isPortGiven: boolean;
  /** Where /healthz, /readyz and /metrics answer besides, out of reach of those who crowd the other port. */
  readonly metricsPort: number | undefined;
  /** Whether an address is that of a proxy whose word is taken for where a request comes from; absent: none is. */
  readonly isProxy: ((address: string) => boolean) | undefined;
  /** The operator's key. */
  readonly adminKey: string | undefined;
  /** Of secrets kept in the database; the first seals. Null: they are stored as they are. */
  readonly encryptionKeys: readonly Buffer[] | null;
  /** Requests a second of one key. */
  readonly rateLimit: number;
}

const MAX_KEY_FILE_BYTES = 100_000;

type Environment = Readonly<Record<string, string | undefined>>;

const MIN_KEY_CHARACTERS = 16;

/** Adds to `problems` what does not fit. Values of keys are in no message. */
export function readHttpSettings(
  env: Environment,
  problems: Problem[],
  whole: (name: string, fallback: number, min: number, max: number) => number,
): HttpSettings {
  const text = (name: string) => (env[name] === '' ? undefined : env[name]);
  const adminKey = text('DAGWRIGHT_ADMIN_KEY');
  if (adminKey !== undefined && !/^[\x21-\x7e]+$/.test(adminKey))
    problems.push(problem('DAGWRIGHT_ADMIN_KEY', 'must be visible ASCII characters without spaces'));
  else if (adminKey !== undefined && adminKey.length < MIN_KEY_CHARACTERS)
    problems.push(problem('DAGWRIGHT_ADMIN_KEY', `must have at least ${MIN_KEY_CHARACTERS} characters`));
  const port = whole('PORT', 3000, 1, 65_535);
  const metricsPort =
    text('DAGWRIGHT_METRICS_PORT') === undefined ? undefined : whole('DAGWRIGHT_METRICS_PORT', 0, 1, 65_535);
  if (metricsPort === port)
    problems.push(problem('DAGWRIGHT_METRICS_PORT', `must be another than PORT (${port})`));
  return {
    host: text('HOST') ?? '127.0.0.1',
    port,
    isPortGiven: text('PORT') !== undefined,
    metricsPort,
    isProxy: readProxies(env, problems),
    adminKey,
    encryptionKeys: readKeys(env, problems),
    rateLimit: whole('DAGWRIGHT_RATE_LIMIT', 5_000, 1, 1_000_000),
  };
}

/** Whether a host is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

/** Whether a host stands for all addresses of a machine, and names none. */
export function isEveryAddress(host: string): boolean {
  return /^(0\.0\.0\.0|::|\[::\])$/.test(host);
}

function readProxies(env: Environment, problems: Problem[]): ((address: string) => boolean) | undefined {
  const name = 'DAGWRIGHT_TRUSTED_PROXIES';
  const entries = (env[name] ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const wrong = entries.filter((entry) => !isProxyEntry(entry));
  for (const entry of wrong)
    problems.push(problem(name, `takes addresses and networks such as 10.0.0.0/8, got "${entry}"`));
  return entries.length === 0 || wrong.length > 0 ? undefined : createProxyCheck(entries);
}

function readKeys(env: Environment, problems: Problem[]): readonly Buffer[] | null {
  const name = 'DAGWRIGHT_ENCRYPTION_KEY';
  const fileName = `${name}_FILE`;
  const file = env[fileName];
  let text = env[name];
  let pointer = name;
  if (file !== undefined && file !== '') {
    pointer = fileName;
    if (text !== undefined && text !== '') {
      problems.push(problem(fileName, `and ${name} are both set; one of them is meant`));
      return null;
    }
    try {
      // Keys take some hundred bytes; what is no file may never end.
      const found = statSync(file);
      if (!found.isFile() || found.size > MAX_KEY_FILE_BYTES) {
        problems.push(problem(fileName, `must be a file of at most ${MAX_KEY_FILE_BYTES} bytes`));
        return null;
      }
      text = readFileSync(file, 'utf8').trim();
    } catch (error) {
      problems.push(problem(fileName, `cannot be read: ${(error as { code?: string }).code ?? 'no file'}`));
      return null;
    }
    text ||= ',';
  }
  if (text === undefined || text === '') return null;
  const keys = readEncryptionKeys(text, pointer);
  if (keys.ok) return keys.value;
  problems.push(...keys.problems);
  return null;
}

function problem(name: string, message: string): Problem {
  return {
    pointer: name,
    code: 'setting',
    message: `${name} ${message}`,
    ...(name === 'DAGWRIGHT_ADMIN_KEY' ? { hint: 'make one: openssl rand -base64 32' } : {}),
  };
}
