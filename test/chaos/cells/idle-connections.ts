// 4,000 clients without a key that hold connections and want nothing, beside one that has a key and asks: it is always let in, at
// once, and whoever watches the process gets his answers too (P9).
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_TENANT_ID } from '../../../src/db/resources/default-tenant.ts';
import { within } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import { createAgent, exchange } from '../http-client.ts';
import { IdleCrowd } from '../idle-crowd.ts';
import { OPERATOR_KEY } from '../services.ts';
import { duration, most, percentile } from '../statistics.ts';

const CLIENTS = 4_150;
const QUICK_CLIENTS = 1_200;
const EVERY_MS = 50;
/** Node accepts one connection in each turn of its loop, so all 4,150 are there late on a busy machine: what is measured is life with them. */
const ARRIVAL_MS = 60_000;
const SETTLING_MS = 5_000;
const ANSWERS_WITHIN_MS = 500;
/** On a machine that is busy with other things nobody gets answers within that: so many times what they took before. */
const QUIET_TIMES = 4;
/** Connections that the service grants to those without a key, and what else a process has open. */
const STRANGERS = 2_048;
const OTHER_FILES = 150;

class Neighbour {
  readonly waits: number[] = [];
  readonly refused: string[] = [];

  /** Asks again and again, over a connection of its own each time or over one that it keeps. */
  async ask(
    call: { url: string; path: string; isKept: boolean; headers?: Readonly<Record<string, string>> },
    until: () => boolean,
  ): Promise<void> {
    const { url, path, isKept, headers = {} } = call;
    const agent = createAgent();
    while (!until()) {
      const answer = await exchange(agent, url, {
        ...{ method: 'GET', path, headers: { ...headers, ...(isKept ? {} : { connection: 'close' }) } },
      });
      this.waits.push(answer.to - answer.from);
      if (answer.kind !== 'answer') this.refused.push(`${path}: ${answer.kind}`);
      else if (answer.status !== 200) this.refused.push(`${path}: ${answer.status}`);
      await delay(EVERY_MS);
    }
    agent.destroy();
  }

  get text(): string {
    return [0.5, 0.99, 1].map((share) => duration(percentile(this.waits, share))).join(' / ');
  }
}

async function openFiles(metricsUrl: string): Promise<number> {
  const answer = await fetch(`${metricsUrl}/metrics`).catch(() => null);
  const text = (await answer?.text()) ?? '';
  return Number(/^process_open_fds (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

const idle: Cell = {
  id: 'IDLE',
  title: '4,150 connections without a key that ask for nothing and never end, and a neighbour that asks',
  async run(arena) {
    const { options, services, chance } = arena;
    const slot = await services.start({ databaseUrl: options.url, role: 'api', hasMetricsPort: true });
    await arena.workers.startReady(1, arena.settings());
    const headers = { authorization: `Bearer ${OPERATOR_KEY}`, 'x-tenant-id': DEFAULT_TENANT_ID };
    const list = { url: slot.url, path: '/v1/executions?limit=1', headers };
    let isOver = false;
    const quiet = new Neighbour();
    const quietUntil = performance.now() + SETTLING_MS;
    await quiet.ask({ ...list, isKept: false }, () => performance.now() > quietUntil);
    const withinMs = Math.max(ANSWERS_WITHIN_MS, QUIET_TIMES * percentile(quiet.waits, 0.99));
    const crowd = new IdleCrowd(slot.url, chance);
    const clients = options.isQuick ? QUICK_CLIENTS : CLIENTS;
    await crowd.begin(clients);
    await within(ARRIVAL_MS, () => crowd.opened >= clients);
    await delay(SETTLING_MS);
    const [newcomer, keeper, watcher] = [new Neighbour(), new Neighbour(), new Neighbour()];
    const asking = Promise.all([
      newcomer.ask({ ...list, isKept: false }, () => isOver),
      keeper.ask({ ...list, isKept: true }, () => isOver),
      watcher.ask({ url: slot.metricsUrl, path: '/healthz', isKept: false }, () => isOver),
      watcher.ask({ url: slot.metricsUrl, path: '/metrics', isKept: false }, () => isOver),
    ]);
    await delay(options.seconds * 1_000);
    const held = await openFiles(slot.metricsUrl);
    isOver = true;
    await asking;
    crowd.end();

    return () => {
      const neighbours = [newcomer, keeper, watcher];
      const refused = neighbours.flatMap((one) => one.refused);
      for (const text of refused.slice(0, 5)) services.note(`refused: ${text}`);
      return {
        figures: {
          clients: `${clients}; connections ${crowd.opened}, at most ${crowd.most} at once; files that the process had open at the end: ${held}`,
          'GET over a new connection p50 / p99 / max, before': quiet.text,
          'with the crowd': newcomer.text,
          'GET over one that is kept': keeper.text,
          'health and metrics': watcher.text,
          asked: `${neighbours.reduce((sum, { waits }) => sum + waits.length, 0)}, refused ${refused.length}`,
        },
        bars: [
          count('answers other than 200, or none', refused.length),
          ms('GET p99', percentile([...newcomer.waits, ...keeper.waits], 0.99), withinMs),
          ms('health and metrics p99', percentile(watcher.waits, 0.99), withinMs),
          ms('longest wait', most(neighbours.flatMap(({ waits }) => waits)), QUIET_TIMES * withinMs),
          count('files open at the end', held, STRANGERS + OTHER_FILES),
          count('nobody held a connection', crowd.most === 0 ? 1 : 0),
          count('process exits', services.unasked.length),
        ],
      };
    };
  },
};

export const IDLE_CELLS = [idle];
