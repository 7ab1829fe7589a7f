// Where the examples of this package are, as one types it in the current folder.
import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
/** Where a project has what it installed; what is linked from elsewhere has its place there too. */
const INSTALLED = join('node_modules', 'dagwright', 'examples');

/** `examples/NAME` in a checkout, `node_modules/dagwright/examples/NAME` in a project, else the whole path. */
export function ownExample(name: string, cwd = process.cwd(), home = EXAMPLES): string {
  const below = relative(cwd, join(home, name));
  if (!below.startsWith(`..${sep}`)) return below;
  return existsSync(join(cwd, INSTALLED, name)) ? join(INSTALLED, name) : join(home, name);
}
