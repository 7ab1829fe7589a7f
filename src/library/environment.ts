// The one place where the library looks at its process.
import type { Environment } from '../cli/settings/config.ts';

export function environmentOfProcess(): { readonly environment: Environment; readonly cwd: string } {
  return { environment: process.env, cwd: process.cwd() };
}
