// The secrets that the config of a task names, read before it is evaluated; which of them were used is known afterwards.
import { TerminalError } from '../core/errors.ts';
import type { Mapping } from '../core/expression/mapping.ts';
import type { TenantSecrets } from './outside.ts';
import type { Secret } from './secret.ts';
import type { TaskContext } from './task-type.ts';

export interface NamedSecrets {
  /** For the scope, as `secrets`: a member for each that there is. Reading one is using it. */
  readonly values: object;
  /** So far. */
  readonly used: ReadonlySet<Secret>;
  /** Named, needed and not there. */
  readonly missing: readonly string[];
}

/** Reads what these mappings name. */
export async function readNamedSecrets(
  mappings: readonly Mapping[],
  secrets: TenantSecrets,
): Promise<NamedSecrets> {
  const isNeeded = new Map<string, boolean>();
  for (const { references } of mappings)
    for (const { root, path, guarded } of references)
      if (root === 'secrets') {
        const name = String(path[0]);
        isNeeded.set(name, !guarded || isNeeded.get(name) === true);
      }
  const values = Object.create(null) as object;
  const used = new Set<Secret>();
  const missing: string[] = [];
  for (const [name, needed] of isNeeded) {
    const secret = await secrets.read(name);
    if (secret !== null)
      Object.defineProperty(values, name, {
        enumerable: true,
        get() {
          used.add(secret);
          return secret.value;
        },
      });
    else if (needed) missing.push(name);
  }
  return { values, used, missing };
}

/** Of a secret that a task needs and nobody has set: which variable gives it. */
export async function missingSecret(
  name: string,
  { outside, taskId }: Pick<TaskContext, 'outside' | 'taskId'>,
): Promise<TerminalError> {
  const shown = name.slice(0, 100);
  return new TerminalError(
    'validation',
    `Task "${taskId}": there is no secret "${shown}"; set ${await outside.secrets.variableOf(shown)} on the worker`,
  );
}
