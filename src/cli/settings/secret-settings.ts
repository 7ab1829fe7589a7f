// Secrets, out of the environment:
//   DAGWRIGHT_SECRET_<NAME>            of the tenant `default`
//   DAGWRIGHT_SECRET_<TENANT>__<NAME>  of one tenant: its name in upper case, "_" for "-"
//   DAGWRIGHT_SHARED_SECRETS           names of those of `default` that all tenants have
//   …_HOSTS beside one of them         where it may be sent; absent: anywhere
import type { Problem } from '../../core/errors.ts';
import { InstallationSecrets, readVariable } from '../../tasks/installation-secrets.ts';
import { parseAllowList } from '../../tasks/outbound/allow-list.ts';
import type { HostList } from '../../tasks/secret.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const SHARED = 'DAGWRIGHT_SHARED_SECRETS';
/** Not of a tenant's secret that is called HOSTS. */
const BINDING = /^(.*[^_])_HOSTS$/;

/** Adds to `problems` what does not fit. Values of secrets are in no message. */
export function readSecrets(env: Environment, problems: Problem[]): InstallationSecrets {
  const refuse = (pointer: string, message: string) =>
    void problems.push({ pointer, code: 'setting', message: `${pointer} ${message}` });
  const given = new Map<
    string,
    { readonly tenant: string | null; readonly name: string; readonly value: string }
  >();
  const bindings = new Map<string, HostList>();
  for (const [variable, value] of Object.entries(env)) {
    const read = readVariable(variable);
    if (read === null || value === undefined || value === '') continue;
    const bound = BINDING.exec(variable)?.[1];
    if (bound === undefined || readVariable(bound) === null) given.set(variable, { ...read, value });
    else bindings.set(bound, readBinding(variable, value, problems));
  }
  for (const variable of bindings.keys())
    if (!given.has(variable)) refuse(`${variable}_HOSTS`, `binds ${variable}, which is not set`);
  const shared = new Set(listOf(env[SHARED]));
  for (const name of shared)
    if (given.get(`DAGWRIGHT_SECRET_${name}`)?.tenant !== null)
      refuse(SHARED, `names "${name}", but DAGWRIGHT_SECRET_${name} is not set`);
  return new InstallationSecrets(
    [...given].map(([variable, { tenant, name, value }]) => ({
      ...{ tenant, name, value },
      isShared: tenant === null && shared.has(name),
      boundTo: bindings.get(variable) ?? null,
    })),
  );
}

function readBinding(variable: string, value: string, problems: Problem[]): HostList {
  const read = parseAllowList(listOf(value), variable);
  if (read.ok) return read.value;
  problems.push(...read.problems);
  return { names: () => false };
}

/** The entries of a comma list. */
export function listOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
