// 4,000 clients without a key that hold connections and want nothing, beside one that has a key and asks: it is always let in, at
// once, and whoever watches the process gets his answers too (P9).
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_TENANT_ID } from '../../../src/db/resources/default-tenant.ts';
import { type Cell, count, ms } from '../cell.ts';
import { createAgent, exchange } from '../http-client.ts';
import { IdleCrowd } from '../idle-crowd.ts';
import { OPERATOR_KEY } from '../services.ts';
import { duration, most, percentile } from '../statistics.ts';

const CLIENTS = 4_150;
const QUICK_CLIENTS = 1_200;
const EVERY_MS = 50;
const ANSWERS_WITHIN_MS = 500;
const ANSWERS_AT_MOST_MS = 2_000;

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
    const crowd = new IdleCrowd(slot.url, chance);
    await crowd.begin(options.isQuick ? QUICK_CLIENTS : CLIENTS);
    const [newcomer, keeper, watcher] = [new Neighbour(), new Neighbour(), new Neighbour()];
    const asking = Promise.all([
      newcomer.ask({ ...list, isKept: false }, () => isOver),
      keeper.ask({ ...list, isKept: true }, () => isOver),
      watcher.ask({ url: slot.metricsUrl, path: '/healthz', isKept: false }, () => isOver),
      watcher.ask({ url: slot.metricsUrl, path: '/metrics', isKept: false }, () => isOver),
    ]);
    await delay(options.seconds * 1_000);
    isOver = true;
    await asking;
    const held = crowd.held;
    crowd.end();

    return () => {
      const neighbours = [newcomer, keeper, watcher];
      const refused = neighbours.flatMap((one) => one.refused);
      for (const text of refused.slice(0, 5)) services.note(`refused: ${text}`);
      return {
        figures: {
          clients: `${options.isQuick ? QUICK_CLIENTS : CLIENTS}; connections ${crowd.opened}, held ${held}, at most ${crowd.most}`,
          'GET over a new connection p50 / p99 / max': newcomer.text,
          'GET over one that is kept': keeper.text,
          'health and metrics': watcher.text,
          asked: `${neighbours.reduce((sum, { waits }) => sum + waits.length, 0)}, refused ${refused.length}`,
        },
        bars: [
          count('answers other than 200, or none', refused.length),
          ms('GET p99', percentile([...newcomer.waits, ...keeper.waits], 0.99), ANSWERS_WITHIN_MS),
          ms('health and metrics p99', percentile(watcher.waits, 0.99), ANSWERS_WITHIN_MS),
          ms('longest wait', most(neighbours.flatMap(({ waits }) => waits)), ANSWERS_AT_MOST_MS),
          count('nobody held a connection', crowd.most === 0 ? 1 : 0),
          count('process exits', services.unasked.length),
        ],
      };
    };
  },
};

export const IDLE_CELLS = [idle];
