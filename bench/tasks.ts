// Task types of the measurements that run the product's own processes (DAGWRIGHT_TASKS).
import { defineTask } from '../src/index.ts';

/** Does nothing. */
export const noop = defineTask({ type: 'noop', run: async () => null });

/** Gives the moment at which its body began: nanoseconds of the machine's monotonic clock, which all processes share. */
export const stamp = defineTask({
  type: 'stamp',
  run: async () => ({ at: String(process.hrtime.bigint()) }),
});
