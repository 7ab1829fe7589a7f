// Task types of an author who takes what comes: parses whatever a server answers, and returns whatever was asked for.
import { defineTask } from '../../../src/tasks/custom-task.ts';
import type { TaskType } from '../../../src/tasks/task-type.ts';

const RETURNED: Readonly<Record<string, () => unknown>> = {
  objects: () => Array.from({ length: 330_000 }, () => ({})),
  wide: () => 'x'.repeat(990_000),
  long: () => 'x'.repeat(20_000_000),
  deep: () => JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown,
  map: () => new Map(Array.from({ length: 100_000 }, (_, i) => [i, i])),
  sparse: () => new Array(2 ** 32 - 1),
};

export function hostileTasks(): TaskType[] {
  return [
    defineTask({
      type: 'reading',
      async run({ config, fetch }) {
        const value: unknown = await (await fetch(String(config.url))).json();
        return Array.isArray(value) ? value.length : 0;
      },
    }),
    defineTask({ type: 'returning', run: ({ config }) => RETURNED[String(config.what)]!() }),
    defineTask({
      type: 'keeping',
      async run({ config, checkpoint }) {
        await checkpoint(RETURNED[String(config.what)]!() as never);
        return null;
      },
    }),
  ];
}
