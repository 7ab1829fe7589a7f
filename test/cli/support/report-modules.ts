// Loaded before a process's own modules (`node --import`): writes to stderr, as the process ends, which files it loaded; one
// URL a line.
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

const loaded: string[] = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
process.on('exit', () => void writeSync(2, loaded.map((url) => `${url}\n`).join('')));
