// The secrets of the installation, out of its environment: whose each is, and where it may be sent.
//   V1  A secret is one tenant's, or all tenants' where the operator says so. To any other tenant it is not there, in the
//       same words as one that nobody has.
//   V2  Names of tenants (a-z, 0-9 and "-") and their form in variables (upper case, "_" for "-") are one to one.
//   V3  Whoever needs the value of one reads it through `SecretStore`, which may take its time: a vault can stand behind it.
import type { Secret } from './secret.ts';

export interface InstallationSecret extends Secret {
  /** The tenant's name as variables have it; null: it stands without one, and is that of `default`. */
  readonly tenant: string | null;
  readonly isShared: boolean;
}

const PREFIX = 'DAGWRIGHT_SECRET_';
const TENANT_NAME = /^[a-z][a-z0-9-]*$/;

/** The one door to secrets by name, for tasks and webhooks alike. */
export interface SecretStore {
  /** What a tenant has under this name (V1); null: nothing, whoever else has. Rejects where it cannot be told. */
  read(tenantName: string, name: string): Promise<Secret | null>;
}

export class InstallationSecrets implements SecretStore {
  /** Of all tenants: what is to be hidden, and held back from other hosts. */
  readonly all: readonly InstallationSecret[];
  readonly #byVariable: ReadonlyMap<string, InstallationSecret>;

  constructor(all: readonly InstallationSecret[] = []) {
    this.all = all;
    this.#byVariable = new Map(all.map((secret) => [variableOf(secret), secret]));
  }

  async read(tenantName: string, name: string): Promise<Secret | null> {
    return this.#find(tenantName, name);
  }

  /** The variable that holds what a tenant has under this name, or that would. */
  variableFor(tenantName: string, name: string): string {
    const found = this.#find(tenantName, name);
    return found === null ? variableFor(tenantName, name) : variableOf(found);
  }

  // V1. A tenant's own goes before a shared one.
  #find(tenantName: string, name: string): InstallationSecret | null {
    const tenant = tenantInVariable(tenantName);
    const own = tenant === null ? undefined : this.#byVariable.get(`${PREFIX}${tenant}__${name}`);
    // A name of `default` may look like a tenant and a name.
    if (own !== undefined && own.tenant === tenant && own.name === name) return own;
    const plain = this.#byVariable.get(`${PREFIX}${name}`);
    const isVisible = plain?.tenant === null && (plain.isShared || tenantName === 'default');
    return isVisible ? plain : null;
  }

  /** Of all tenants: what is to be hidden. */
  get values(): string[] {
    return this.all.map(({ value }) => value);
  }
}

/** The variable that holds a secret. */
export function variableOf({ tenant, name }: Pick<InstallationSecret, 'tenant' | 'name'>): string {
  return `${PREFIX}${tenant === null ? '' : `${tenant}__`}${name}`;
}

/** The variable that would give a tenant a secret of this name. */
export function variableFor(tenantName: string, name: string): string {
  return variableOf({ tenant: tenantName === 'default' ? null : tenantInVariable(tenantName), name });
}

/** V2. Null where a name is none that a tenant can have. */
export function tenantInVariable(tenantName: string): string | null {
  return TENANT_NAME.test(tenantName) ? tenantName.toUpperCase().replaceAll('-', '_') : null;
}

/** What the variable of a secret says of it: `DAGWRIGHT_SECRET_<NAME>` or `DAGWRIGHT_SECRET_<TENANT>__<NAME>`; null: it is none. */
export function readVariable(variable: string): Pick<InstallationSecret, 'tenant' | 'name'> | null {
  if (!variable.startsWith(PREFIX)) return null;
  const rest = variable.slice(PREFIX.length);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(rest)) return null;
  // The last one: the name of a tenant may have two hyphens in a row.
  const cut = rest.lastIndexOf('__');
  const [tenant, name] = [rest.slice(0, cut), rest.slice(cut + 2)];
  const isOfTenant = cut > 0 && /^[A-Z][A-Z0-9_]*$/.test(tenant) && /^[A-Za-z]/.test(name);
  return isOfTenant ? { tenant, name } : { tenant: null, name: rest };
}
