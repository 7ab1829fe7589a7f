// The settings of CONTRACT 9, read from the environment once and checked all together. It is read in io.ts only.
import { resolve } from 'node:path';
import type { Problem, Result } from '../../core/errors.ts';
import type { OutsideSettings } from '../../engine/services/outside.ts';
import { databaseUrlProblem } from './database-url.ts';
import { type HttpSettings, readHttpSettings } from './http-settings.ts';
import { readOutsideSettings } from './outside-settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export const ROLES = ['all', 'worker', 'api', 'scheduler'] as const;
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Config {
  /** PostgreSQL 15 to 18; absent: an embedded server. */
  readonly databaseUrl: string | undefined;
  /** For LISTEN, locks and the queue, when databaseUrl is a transaction pooler. */
  readonly directDatabaseUrl: string | undefined;
  /** DAGWRIGHT_URL and DAGWRIGHT_KEY: a service that commands may use in place of a database. */
  readonly server: { readonly url: string | undefined; readonly key: string | undefined };
  /** Folder of the embedded server. */
  readonly home: string;
  readonly role: (typeof ROLES)[number];
  /** Attempts that one worker runs at once. */
  readonly concurrency: number;
  /** Without a beat for this long, a worker is dead. */
  readonly leaseSeconds: number;
  /** Modules with task types of your own. */
  readonly taskModules: readonly string[];
  /** Secrets, model providers, allowed destinations, the public address. */
  readonly outside: OutsideSettings;
  /** DAGWRIGHT_PUBLIC_URL was given; else the public address is where this process itself would listen. */
  readonly isPublicUrlGiven: boolean;
  /** Where the HTTP service listens, its keys and limits. */
  readonly http: HttpSettings;
  /** Ended executions are deleted after so many days; 0: never. */
  readonly retentionDays: number;
  readonly logLevel: LogLevel;
  /** Started through npm or npx, which do not hand signals on. */
  readonly isUnderNpm: boolean;
  /** NODE_ENV=production, as in the image: `start` wants a database of its own, not the embedded one. */
  readonly isProduction: boolean;
  /** No colours, whatever the terminal (no-color.org). */
  readonly noColor: boolean;
}

/** Reads the settings; every problem names its variable. */
export function readConfig(env: Environment, cwd: string): Result<Config> {
  const problems: Problem[] = [];
  const text = (name: string) => (env[name] === undefined || env[name] === '' ? undefined : env[name]);
  const refuse = (name: string, expected: string) =>
    void problems.push({
      pointer: name,
      code: 'setting',
      message: `${name} must be ${expected}, got "${env[name]}"`,
    });
  const url = (name: string) => {
    const value = text(name);
    if (value === undefined) return undefined;
    const problem = databaseUrlProblem(name, value);
    if (problem !== null) problems.push(problem);
    return value;
  };
  const whole = (name: string, fallback: number, min: number, max: number) => {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max)
      refuse(name, `a whole number from ${min} to ${max}`);
    return number;
  };
  const choice = <T extends string>(name: string, values: readonly T[], fallback: T): T => {
    const value = text(name);
    if (value === undefined) return fallback;
    if (!values.includes(value as T)) refuse(name, `one of ${values.join(', ')}`);
    return value as T;
  };
  const databaseUrl = url('DATABASE_URL');
  const directDatabaseUrl = url('DIRECT_DATABASE_URL');
  const http = readHttpSettings(env, problems, whole);
  const config: Config = {
    databaseUrl,
    directDatabaseUrl,
    server: { url: text('DAGWRIGHT_URL'), key: text('DAGWRIGHT_KEY') },
    home: resolve(cwd, text('DAGWRIGHT_HOME') ?? '.dagwright'),
    role: choice('DAGWRIGHT_ROLE', ROLES, 'all'),
    concurrency: whole('DAGWRIGHT_CONCURRENCY', 16, 1, 1000),
    leaseSeconds: whole('DAGWRIGHT_LEASE_SECONDS', 15, 8, 600),
    taskModules: (text('DAGWRIGHT_TASKS') ?? '')
      .split(',')
      .map((path) => path.trim())
      .filter((path) => path !== '')
      .map((path) => resolve(cwd, path)),
    outside: readOutsideSettings(env, problems, {
      host: http.host,
      port: http.port,
      databaseUrls: [databaseUrl, directDatabaseUrl].filter(
        (one) => one !== undefined && URL.canParse(one),
      ) as string[],
    }),
    isPublicUrlGiven: text('DAGWRIGHT_PUBLIC_URL') !== undefined,
    http,
    retentionDays: whole('DAGWRIGHT_RETENTION_DAYS', 0, 0, 36_500),
    logLevel: choice('LOG_LEVEL', LOG_LEVELS, 'info'),
    isUnderNpm: text('npm_execpath') !== undefined,
    isProduction: text('NODE_ENV') === 'production',
    noColor: text('NO_COLOR') !== undefined,
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: config };
}
