// Secrets of an installation, by name, as an operator would set them.
import { InstallationSecrets } from '../../src/tasks/installation-secrets.ts';

/** Of the tenant `default`, or of all where they are shared; they may be sent anywhere. */
export function secretsInEnvironment(
  values: Readonly<Record<string, string>>,
  { isShared = false }: { readonly isShared?: boolean } = {},
): InstallationSecrets {
  return new InstallationSecrets(
    Object.entries(values).map(([name, value]) => ({ name, value, tenant: null, isShared, boundTo: null })),
  );
}
