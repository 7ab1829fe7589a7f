// The network between workers and database, by a proxy before each worker: cut, half open, slow.
import { setTimeout as delay } from 'node:timers/promises';
import { type Arena, type Death, within } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import { type DatabaseProxy, openProxy } from '../proxy.ts';
import { duration, most, percentile, proportion } from '../statistics.ts';
import { WORKFLOWS } from '../workload.ts';
import { removedWorkers, resumption } from './kill.ts';

const LEASE_MS = 15_000;
const LISTENS_AGAIN_MS = 15_000;
const WORKERS = 3;

/** Workers that each have a proxy before them; the proxies end with the workers. */
async function workersBehindProxies(arena: Arena): Promise<{ pid: number; proxy: DatabaseProxy }[]> {
  const proxies = await Promise.all(
    Array.from({ length: WORKERS }, () => openProxy(arena.options.url, arena.chance)),
  );
  const workers = proxies.map(({ url }) => arena.workers.start(arena.settings({ url })));
  await Promise.all(workers.map(({ ready }) => ready));
  void Promise.all(workers.map(({ exited }) => exited)).then(() =>
    Promise.all(proxies.map((proxy) => proxy.close())),
  );
  return workers.map(({ pid }, i) => ({ pid, proxy: proxies[i]! }));
}

const partition: Cell = {
  id: 'M14',
  title:
    'a worker cut off from the database for 5 s and 45 s (quick 20 s), and once so that its connections stay lost',
  quickSeconds: 1,
  async run(arena) {
    const { chance, options } = arena;
    const workers = await workersBehindProxies(arena);
    arena.feed.begin(arena.rate);
    await delay(2_000);
    const fenced: number[] = [];
    const cut: Death[] = [];
    const backMs: number[] = [];
    await arena.repeat(async () => {
      const long = options.isQuick ? 20 : 45;
      for (const [seconds, isForgotten] of [
        [5, false],
        [long, false],
        [5, true],
      ] as const) {
        const { pid, proxy } = chance.pick(workers);
        proxy.faults = { isCut: true };
        if (isForgotten) proxy.lose('all');
        const at = Date.now();
        await delay(seconds * 1000);
        const lastStart = arena.provider.lines.findLast((line) => line.event === 'start' && line.pid === pid);
        fenced.push(Math.max(0, (lastStart?.at ?? 0) - at));
        if (seconds * 1000 > LEASE_MS) cut.push({ pid, at });
        proxy.faults = {};
        const healedAt = Date.now();
        for (let waited = 0; arena.firstStart(healedAt, [pid]) === null && waited < 60_000; waited += 50)
          await delay(50);
        backMs.push(arena.firstStart(healedAt, [pid]) ?? Number.POSITIVE_INFINITY);
      }
    });
    return async () => {
      const { figures, times } = await resumption(arena, cut);
      return {
        figures: {
          cuts: String(fenced.length),
          'last new body of the cut worker after, at most': duration(most(fenced)),
          ...figures,
          'works again after healing': backMs.map(duration).join(', '),
          'worker exits': String(arena.workers.unasked.length),
        },
        bars: [
          ms('self-fence', most(fenced), LEASE_MS + 1_000),
          ms('taken over', most(times), 30_000),
          ms('works again after healing', most(backMs), 20_000),
          count('worker exits', arena.workers.unasked.length),
        ],
      };
    };
  },
};

const halfOpenListen: Cell = {
  id: 'M15',
  title: 'the connections that listen for jobs are half open: nothing comes, no FIN',
  async run(arena) {
    const workers = await workersBehindProxies(arena);
    arena.feed.begin(1, [WORKFLOWS[0]!]);
    await delay(2_000);
    const since = Date.now();
    for (const { proxy } of workers) proxy.lose('listening');
    await delay(arena.options.seconds * 1000);
    const again = () =>
      most(workers.map(({ proxy }) => proxy.listens.find((at) => at > since) ?? Number.POSITIVE_INFINITY)) -
      since;
    await within(LISTENS_AGAIN_MS * 2, () => again() < Number.POSITIVE_INFINITY);
    const listensAgainMs = again();
    return () => {
      const times = arena.feed.journal
        .filter(({ ackedAt, cancel }) => ackedAt > since && cancel === undefined)
        .flatMap(({ id, ackedAt }) => {
          const first = arena.provider.lines.find(
            ({ event, execution }) => event === 'start' && execution === id,
          );
          return first === undefined ? [] : [Math.max(0, first.at - ackedAt)];
        });
      return {
        figures: {
          'picked up after p50 / max': `${duration(percentile(times, 0.5))} / ${duration(most(times))} (n ${times.length})`,
          'all listen again after': duration(listensAgainMs),
        },
        bars: [
          ms('pick-up', times.length === 0 ? Number.NaN : most(times), 3_000),
          ms('all listen again', listensAgainMs, LISTENS_AGAIN_MS),
        ],
      };
    };
  },
};

const SLOWNESS = [
  { name: 'none', faults: {} },
  { name: '+50 ms', faults: { delayMs: 25 } },
  { name: '+500 ms', faults: { delayMs: 250 } },
  { name: '1 % stalls of 10 s', faults: { stallShare: 0.01, stallMs: 10_000 } },
] as const;

const slow: Cell = {
  id: 'M16',
  title: 'a slow database: +50 ms, +500 ms, 1 % of packets stalled 10 s',
  quickSeconds: 16,
  async run(arena) {
    const workers = await workersBehindProxies(arena);
    arena.feed.begin(arena.rate);
    await delay(2_000);
    const throughput: string[] = [];
    for (const { name, faults } of SLOWNESS) {
      for (const { proxy } of workers) proxy.faults = faults;
      const since = Date.now();
      const partMs = (arena.options.seconds * 1000) / SLOWNESS.length;
      await delay(partMs);
      const ended = arena.provider.lines.filter(({ event, at }) => event === 'end' && at > since).length;
      throughput.push(`${name} ${(ended / (partMs / 1000)).toFixed(0)}`);
    }
    for (const { proxy } of workers) proxy.faults = {};
    const taken = await removedWorkers(arena);
    const [row] = await arena.query<{ n: number }>(
      `select count(*)::int as n from public.worker_events where kind = 'beat'`,
    );
    return () => ({
      figures: {
        'bodies a second': throughput.join(', '),
        'false take-overs': proportion(taken, row!.n),
        'worker exits': String(arena.workers.unasked.length),
      },
      bars: [count('false take-overs', taken), count('worker exits', arena.workers.unasked.length)],
    });
  },
};

export const NETWORK_CELLS = [partition, halfOpenListen, slow];
