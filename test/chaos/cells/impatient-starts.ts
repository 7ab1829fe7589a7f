// Starts over HTTP as impatient clients send them, while an API process is killed again and again and the database restarts:
// what was acknowledged is there, once (P1).
import { setTimeout as delay } from 'node:timers/promises';
import { within } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import { Clients, PER_SECOND } from '../impatient-clients.ts';
import { duration, most, percentile, proportion } from '../statistics.ts';
import { applyDocument } from '../workload.ts';

const ANSWERS_WITHIN_MS = 7_000;
const WORKS_AGAIN_MS = 10_000;
const DOCUMENT = `
nodes:
  - { taskId: keep, taskType: transformation, config: { output: "{{ input.key }}" } }
output: { key: $.tasks.keep.output }`;

const starts: Cell = {
  id: 'API',
  title:
    '5,000 starts a minute over two API processes from clients that hang up and send again; one is killed, PostgreSQL restarts',
  quickSeconds: 18,
  hasOwnServer: true,
  async run(arena) {
    const { options, services, chance } = arena;
    const { server } = options;
    if (server === undefined) throw new Error('API needs a server of its own');
    await applyDocument(arena.database, 'order', DOCUMENT);
    const settings = { databaseUrl: options.url, role: 'api', isOpen: true } as const;
    const [mortal, steady] = await Promise.all([
      services.start({ ...settings, faults: { seed: options.seed, diesAfterCommit: 0.02 } }),
      services.start(settings),
    ]);
    await arena.workers.startReady(1, arena.settings());
    const clients = new Clients(arena, [mortal, steady]);
    const { seen } = clients;
    const total = Math.round(PER_SECOND * options.seconds);
    const from = performance.now();
    let isDone = false;
    const running = clients.run(total).finally(() => {
      isDone = true;
    });
    let kills = 0;
    const killing = (async () => {
      while (!isDone) {
        await delay(chance.between(500, options.isQuick ? 2_500 : 5_000));
        await Promise.race([mortal.ready(), running]);
        if (isDone) return;
        await mortal.kill();
        kills++;
      }
    })();
    const outages: { from: number; to: number }[] = [];
    for (const [i, share] of [0.25, 0.6].entries()) {
      await delay(Math.max(0, from + options.seconds * 1_000 * share - performance.now()));
      const wentAt = performance.now();
      await server.stop(i === 0 ? 'fast' : 'immediate');
      await delay(chance.between(1_500, options.isQuick ? 3_000 : 8_000));
      await server.start();
      outages.push({ from: wentAt, to: performance.now() });
    }
    const limitMs = options.seconds * 1_000 + 60_000;
    const isInTime = await within(limitMs, () => isDone);
    clients.giveUp();
    await Promise.all([running, killing]);
    const tookMs = performance.now() - from;

    return async () => {
      const rows = await arena.query<{ key: string; ids: string[]; right: number }>(
        `select input->>'key' as key, array_agg(id) as ids,
           count(*) filter (where status = 'completed' and output->>'key' = input->>'key')::int as right
         from dagwright.workflow_executions where workflow_id = 'order' group by 1`,
      );
      const found = new Map(rows.map((row) => [row.key, row]));
      const acked = [...seen.ackedAs];
      const lost = acked.filter(([key, id]) => !found.get(key)?.ids.includes(id)).length;
      const doubled = rows.filter(({ ids }) => ids.length > 1).length;
      const again = outages.map(({ to }) => {
        const first = seen.created.find(({ url, from: at }) => url === steady.url && at >= to);
        return first === undefined ? Number.POSITIVE_INFINITY : first.to - to;
      });
      const unavailableIn = outages.map(
        (outage) => seen.unavailable.filter((at) => at >= outage.from && at <= outage.to + 1_000).length,
      );
      const unexplained = seen.broken.unexplained;
      for (const code of unexplained) arena.services.note(`broken: ${code}`);
      for (const text of seen.strange) arena.services.note(`strange: ${text}`);
      return {
        figures: {
          starts: `${acked.length} in ${duration(tookMs)} (${(acked.length / (tookMs / 1_000)).toFixed(0)} a second)`,
          'requests sent': `${seen.sent}, ${seen.left} left by their client`,
          'answers 503': `${seen.unavailable.length}, ${unavailableIn.join(' and ')} in the two outages`,
          'connections broken by kills': String(seen.broken.count - unexplained.length),
          'wait p50 / p99 / max': [0.5, 0.99, 1]
            .map((share) => duration(percentile(seen.waits, share)))
            .join(' / '),
          'kills of an API process': `${kills}, and ${mortal.ownEnds} between commit and answer`,
          'answers of starts done before': String(seen.replayed),
          'database away': outages.map((outage) => duration(outage.to - outage.from)).join(', '),
          'starts again after': again.map(duration).join(', '),
          'acknowledged starts lost': proportion(lost, acked.length),
          doubled: proportion(doubled, rows.length),
        },
        bars: [
          count('acknowledged starts lost', lost),
          count('keys with two executions', doubled),
          count(
            'executions that did not complete rightly',
            rows.filter(({ right, ids }) => right !== ids.length).length,
          ),
          count('keys not acknowledged in the end', isInTime ? total - acked.length : total),
          count('answers that were neither 201 nor 503 with Retry-After', seen.strange.length),
          count('connections broken by a process that lived', unexplained.length),
          count('no start was sent again after it was done', seen.replayed === 0 ? 1 : 0),
          count('outages without a 503', unavailableIn.filter((n) => n === 0).length),
          count('process exits', arena.services.unasked.length),
          ms('longest wait', most(seen.waits), ANSWERS_WITHIN_MS),
          ms('starts again', most(again), WORKS_AGAIN_MS),
        ],
      };
    };
  },
};

export const IMPATIENT_CELLS = [starts];
