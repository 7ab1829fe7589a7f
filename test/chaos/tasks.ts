// The task types of the chaos run (DAGWRIGHT_TASKS): bodies that call the service in the supervisor, keep checkpoints, or
// hold up the event loop.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError } from '../../src/core/errors.ts';
import { type CustomTaskContext, defineTask } from '../../src/tasks/custom-task.ts';
import type { ProviderCall } from './provider.ts';

const STEPS = 4;
const provider = process.env.CHAOS_PROVIDER ?? '';

async function ask(
  { executionId, taskId, attempt, idempotencyKey, signal }: CustomTaskContext,
  more: Pick<ProviderCall, 'run'> & Partial<ProviderCall>,
) {
  const call: ProviderCall = {
    ...{ execution: executionId, task: taskId, attempt, key: idempotencyKey, pid: process.pid },
    ...more,
  };
  const response = await fetch(`${provider}/call`, { method: 'POST', body: JSON.stringify(call), signal });
  if (!response.ok)
    throw new RetryableError(`the service said ${response.status}`, { code: `http_${response.status}` });
  return (await response.json()) as { value: number; attempt: number; token: string };
}

/** One call. */
export const call = defineTask({
  type: 'call',
  run: (context) => ask(context, { run: randomUUID(), isFlaky: context.config.isFlaky === true }),
});

/** Holds its slot for a while, and does nothing. */
export const doze = defineTask({
  type: 'doze',
  run: ({ config, signal }) => delay(Number(config.ms), null, { signal }),
});

/** Four calls, each kept as a checkpoint; a later attempt goes on after the newest. */
export const steps = defineTask({
  type: 'steps',
  async run(context) {
    const run = randomUUID();
    let answer: Awaited<ReturnType<typeof ask>> | null = null;
    const kept = context.lastCheckpoint as { next: number } | undefined;
    for (let step = kept?.next ?? 0; step < STEPS; step++) {
      answer = await ask(context, { run, step });
      await context.checkpoint({ next: step + 1, ...answer });
    }
    return answer ?? kept;
  },
});

/** Keeps the event loop busy for `ms`. */
export const spin = defineTask({
  type: 'spin',
  run({ config }) {
    const until = performance.now() + Number(config.ms);
    while (performance.now() < until);
    return null;
  },
});
