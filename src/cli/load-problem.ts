// Why a module of task types cannot be loaded: where, and what to do about it.
import { existsSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { redactNothing } from '../core/redact.ts';
import { placeOf } from '../engine/attempt/place.ts';

/** ` (tasks/price.ts:12:7)`, or nothing where the error does not say. */
export function loadPlace(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // Before its name, a SyntaxError of TypeScript has file and line.
  const head = error.name === 'SyntaxError' ? /^(\/[^\n]*:\d+)\n/.exec(error.stack ?? '')?.[1] : undefined;
  const place = head ?? placeOf(error, redactNothing)?.thrownAt;
  return place === undefined || error.message.includes(place) ? '' : ` (${place})`;
}

// What Node's own messages leave open.
export function loadHint(
  path: string,
  { name, message, code }: Error & { readonly code?: string },
): string | undefined {
  if (name === 'SyntaxError' && /import statement outside a module|Unexpected token 'export'/.test(message))
    return `its package.json says that it is CommonJS: name it ${path.replace(/\.[cm]?(ts|js)$/, '.m$1')}, or npm pkg set type=module`;
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return 'Node takes types away and compiles nothing: no enum, namespace or parameter property';
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING')
    return 'below node_modules Node takes JavaScript only: build the package, and name what was built';
  return code === 'ERR_MODULE_NOT_FOUND' ? wholeNameHint(message) : undefined;
}

// As bundlers and CommonJS find them, and Node's import does not.
function wholeNameHint(message: string): string | undefined {
  const [, missing, importer] = /^Cannot find module '(.+)' imported from (.+)$/.exec(message) ?? [];
  if (missing === undefined || importer === undefined) return undefined;
  const extension = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js'].find((end) =>
    existsSync(missing + end),
  );
  if (extension === undefined) return undefined;
  const name = relative(dirname(importer), missing + extension);
  return `write '${name.startsWith('.') ? name : `./${name}`}': Node finds modules by their whole names`;
}
