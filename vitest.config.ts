import { defineConfig } from 'vitest/config';
import { isFullDepth } from './test/support/depth.ts';

// unit: pure, milliseconds. database: a real PostgreSQL, one cloned database per file. crash: real processes, killed.
//
// Files share the modules of their process (`isolate: false`): to load them again for each file was a third of the time. So
// a file undoes what it changes of a module, a prototype or the environment, and closes what it opened.
export default defineConfig({
  test: {
    // Most tests wait for a database, a process or a clock, not for a processor; those of full depth compute more.
    maxWorkers: isFullDepth ? 3 : 4,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/core/**/*.test.ts', 'test/house/**/*.test.ts', 'test/bench/*.test.ts'],
          // Against what hangs, not against what is slow: on a busy machine some take ten times their usual second.
          testTimeout: 60_000,
          isolate: false,
        },
      },
      {
        test: {
          name: 'database',
          include: ['test/{db,tasks,engine,triggers,http,cli,client,library,bench/database}/**/*.test.ts'],
          globalSetup: ['test/support/database-server.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          isolate: false,
        },
      },
      {
        test: {
          name: 'crash',
          // The rest of the killing is for `npm run check`.
          include: isFullDepth
            ? ['test/crash/**/*.test.ts']
            : ['kill', 'recovery'].map((name) => `test/crash/${name}.test.ts`),
          // These two mostly wait for leases to end, and begin first (by the name of their project), beside others. All of
          // them kill processes under load, after the rest.
          ...(isFullDepth ? { maxWorkers: 3, sequence: { groupOrder: 1 } } : {}),
          globalSetup: ['test/support/database-server.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      ...(isFullDepth
        ? [{ test: { name: 'package', include: ['test/package/*.test.ts'], testTimeout: 180_000 } }]
        : []),
    ],
  },
});
