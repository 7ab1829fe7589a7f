// Fails when the schema in src/db/tables/*.ts has changes that no migration has: run `npx drizzle-kit generate`.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'dagwright-migrations-'));
try {
  const out = join(scratch, 'drizzle');
  cpSync(join(root, 'drizzle'), out, { recursive: true });
  const before = readdirSync(out).length;
  const kit = join(root, 'node_modules', 'drizzle-kit', 'bin.cjs');
  const schema = join(root, 'src', 'db', 'tables', '*.ts');
  execFileSync(
    process.execPath,
    [kit, 'generate', '--dialect=postgresql', `--schema=${schema}`, `--out=${out}`],
    {
      cwd: root,
      stdio: 'pipe',
    },
  );
  if (readdirSync(out).length !== before) {
    console.error(
      'src/db/tables/*.ts has changes without a migration; run: npx drizzle-kit generate --name WHAT_CHANGED',
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
