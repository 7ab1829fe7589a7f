// The settings of the outside world, out of the environment: secrets, model providers, destinations, the public address.
import type { Problem } from '../../core/errors.ts';
import type { OutsideSettings } from '../../engine/services/outside.ts';
import { tenantInVariable } from '../../tasks/installation-secrets.ts';
import { parseAllowList } from '../../tasks/outbound/allow-list.ts';
import type { ProviderAccess } from '../../tasks/outside.ts';
import { listOf, readSecrets } from './secret-settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that hold the key of a model provider, the usual one first; and its base URL. */
const PROVIDERS: readonly (readonly [provider: string, keys: readonly string[], baseUrl: string])[] = [
  ['anthropic', ['ANTHROPIC_API_KEY'], 'ANTHROPIC_BASE_URL'],
  ['openai', ['OPENAI_API_KEY'], 'OPENAI_BASE_URL'],
  ['google', ['GOOGLE_GENERATIVE_AI_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_API_KEY'], 'GOOGLE_BASE_URL'],
];

/** Adds to `problems` what does not fit. Values of secrets are in no message. */
export function readOutsideSettings(
  env: Environment,
  problems: Problem[],
  local: { readonly host: string; readonly port: number; readonly databaseUrls: readonly string[] },
): OutsideSettings {
  const providers = new Map<string, ProviderAccess>();
  for (const [provider, keys, baseUrlName] of PROVIDERS) {
    const apiKey = keys.map((name) => env[name]).find((value) => value !== undefined && value !== '');
    const baseUrl = readUrl(env, baseUrlName, problems);
    if (apiKey !== undefined || baseUrl !== undefined) providers.set(provider, { apiKey, baseUrl });
  }
  const allowedHosts = listOf(env.DAGWRIGHT_ALLOWED_HOSTS);
  const allowed = parseAllowList(allowedHosts);
  if (!allowed.ok) problems.push(...allowed.problems);
  return {
    secrets: readSecrets(env, problems),
    providers,
    providerKeysFor: readTenants(env, 'DAGWRIGHT_PROVIDER_KEYS_FOR', problems),
    allowedHosts,
    deniedHosts: local.databaseUrls.map(hostOf).filter((host) => host !== ''),
    publicUrl: readUrl(env, 'DAGWRIGHT_PUBLIC_URL', problems) ?? `http://${local.host}:${local.port}`,
  };
}

// With its port: other services may live on the database's machine.
function hostOf(databaseUrl: string): string {
  const { hostname, port } = new URL(databaseUrl);
  return hostname === '' ? '' : `${hostname}:${port === '' ? '5432' : port}`;
}

function readUrl(env: Environment, name: string, problems: Problem[]): string | undefined {
  const value = env[name];
  if (value === undefined || value === '') return undefined;
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    problems.push({
      pointer: name,
      code: 'setting',
      message: `${name} must be a URL http://… or https://…`,
    });
  return value;
}

/** Names of tenants; undefined: all. */
function readTenants(
  env: Environment,
  setting: string,
  problems: Problem[],
): ReadonlySet<string> | undefined {
  const names = listOf(env[setting]);
  for (const name of names)
    if (tenantInVariable(name) === null)
      problems.push({
        pointer: setting,
        code: 'setting',
        message: `${setting} must be names of tenants, separated by commas; "${name}" is none`,
      });
  return names.length === 0 ? undefined : new Set(names);
}
