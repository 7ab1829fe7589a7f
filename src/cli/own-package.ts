// Task modules import 'dagwright' from wherever they lie: a folder without node_modules, a checkout that is not built, beside
// a global install. They get the package that runs them, so that there is one of it in the process.
import { registerHooks } from 'node:module';

let isShared = false;

export function shareOwnPackage(): void {
  if (isShared) return;
  isShared = true;
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const entries = new Map([
    ['dagwright', new URL(`../index.${extension}`, import.meta.url).href],
    ['dagwright/client', new URL(`../client/client.${extension}`, import.meta.url).href],
  ]);
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const url = entries.get(specifier);
      return url === undefined ? nextResolve(specifier, context) : { url, shortCircuit: true };
    },
  });
}
