// What a worker does with jobs while a suspect holds others back in it.
import { expect, test, vi } from 'vitest';
import type { WorkerContext } from '../../src/engine/context.ts';
import { Intake, type IntakeOptions } from '../../src/engine/worker/intake.ts';

/** An intake of a worker with neighbours, and the names of the statements that it sent. */
function intakeOf(worker: { suspectGate: { isHolding: boolean }; draining: boolean }) {
  const sent: string[] = [];
  const pool = {
    query: async ({ name }: { readonly name: string }) => {
      sent.push(name);
      return { rows: [] };
    },
  };
  const options = {
    worker: { ...worker, pool, locked: { isStuck: () => false } } as unknown as WorkerContext,
    membership: { hasNeighbours: true },
    stuck: { holdsBack: () => false },
  } as unknown as IntakeOptions;
  Object.defineProperty(options.worker, 'suspectGate', { get: () => worker.suspectGate });
  Object.defineProperty(options.worker, 'draining', { get: () => worker.draining });
  return { intake: new Intake(options), sent };
}

test.for(['the suspect holds nobody back any more', 'the worker drains'] as const)(
  'a job is left to other workers at once, and no other is fetched in its place until %s',
  async (until) => {
    const worker = { suspectGate: { isHolding: true }, draining: false };
    const { intake, sent } = intakeOf(worker);
    let hasEnded = false;
    const handling = intake.handle({ e: '00000000-0000-7000-8000-000000000001' }, 0).then(() => {
      hasEnded = true;
    });
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    await new Promise(setImmediate);
    expect(hasEnded).toBe(false);
    if (until === 'the worker drains') worker.draining = true;
    else worker.suspectGate.isHolding = false;
    await handling;
    expect(sent).toHaveLength(1);
  },
);
