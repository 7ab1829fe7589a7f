#!/usr/bin/env node
// The command as npm installs it: what was built; in a checkout, which has the sources, those.
// Written so that any Node reads it, since it says which Node is needed.
import { existsSync, readFileSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stderr.write(
    `error: dagwright needs Node ${engines.node}; this is ${process.versions.node} (${process.execPath})\n` +
      'hint: https://nodejs.org, or for one command: npx --package=node@24 --package=dagwright dagwright --help\n',
  );
  process.exitCode = 1;
} else {
  const sources = new URL('../src/cli/main.ts', import.meta.url);
  await import(existsSync(sources) ? sources.href : new URL('../dist/cli/main.js', import.meta.url).href);
}
