// Two checkouts in turn: what is made of the measurements.
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openCheckout } from '../../bench/checkout.ts';
import { costsOf } from '../../bench/pairs.ts';
import { speedOf } from '../../bench/pairs-report.ts';
import { WORKLOADS, workloadNamed } from '../../bench/workloads.ts';

/** A measurement of 1,000 steps, with a session of 2,000. */
const sample = (ms: number, serverCpuMs: number | null) => ({
  steps: 1_000,
  ms,
  cpuMs: ms / 2,
  serverCpuMs,
  sessionSteps: 2_000,
  sessionServerCpuMs: 100,
});

describe('the costs of a round', () => {
  it('are those of both measurements of a side together, per step', () => {
    const rounds = [{ a: [sample(100, 40), sample(140, 60)], b: [sample(60, 20), sample(60, 30)] }];
    expect(costsOf(rounds)).toEqual([
      { a: { wallUs: 120, processUs: 60, serverUs: 50 }, b: { wallUs: 60, processUs: 30, serverUs: 25 } },
    ]);
  });

  it("take the server's time of whole sessions on both sides where one side does not say it", () => {
    const [round] = costsOf([{ a: [sample(100, null)], b: [sample(60, 20)] }]);
    expect([round!.a.serverUs, round!.b.serverUs]).toEqual([50, 50]);
  });

  it("have no server's time where it cannot be read", () => {
    const blind = { ...sample(100, null), sessionServerCpuMs: null };
    expect(costsOf([{ a: [blind], b: [blind] }])[0]!.a.serverUs).toBeNull();
  });
});

describe('the speed of B', () => {
  it('is the median of the ratios of the rounds, with the least and the most', () => {
    const cost = (wallUs: number) => ({ wallUs, processUs: 1, serverUs: 1 });
    const rounds = [10, 30, 12].map((wallUs) => ({ a: cost(wallUs), b: cost(10) }));
    expect(speedOf({ workload: workloadNamed('fan1000'), rounds })).toEqual({
      median: 1.2,
      least: 1,
      most: 3,
    });
  });
});

describe('a checkout', () => {
  it('is opened with its own workloads', async () => {
    const checkout = await openCheckout(fileURLToPath(new URL('../../', import.meta.url)));
    expect(checkout?.workloads).toEqual(WORKLOADS.map(({ name }) => name));
  });

  it('is none in another folder', async () => {
    expect(await openCheckout(tmpdir())).toBeNull();
  });
});
