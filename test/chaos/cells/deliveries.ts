// Deliveries of webhooks, each sent five times at once over two API processes that die between the commit and the answer, by
// senders that repeat them until they are told 2xx: one event, one execution, one answer (P7, I15).
import { setTimeout as delay } from 'node:timers/promises';
import { fromStandard } from '../../http/support/senders.ts';
import { type Arena, within } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import { Broken, createAgent, exchange } from '../http-client.ts';
import type { ServiceSlot } from '../services.ts';
import { duration, most, percentile, proportion } from '../statistics.ts';
import { applyDocument } from '../workload.ts';

const AT_ONCE = 5;
/** Events that are under way together. */
const SENDERS = 4;
/** The least; longer runs send on. */
const EVENTS = 200;
const ANSWERS_WITHIN_MS = 7_000;
/** A share of commits after which the process is gone. */
const DIES = 0.01;
const DOCUMENT = `
nodes:
  - { taskId: keep, taskType: transformation, config: { output: "{{ input.n }}" } }
output: { n: $.tasks.keep.output }`;

class Senders {
  readonly #arena: Arena;
  readonly #slots: readonly ServiceSlot[];
  readonly #hook: { readonly path: string; readonly secret: string };
  readonly #agent = createAgent();
  /** The answers of 2xx to each delivery. */
  readonly answers = new Map<string, string[]>();
  readonly waits: number[] = [];
  readonly broken = new Broken();
  readonly met = { unavailable: 0, strange: 0 };
  sent = 0;
  isOver = false;

  constructor(arena: Arena, slots: readonly ServiceSlot[], hook: { path: string; secret: string }) {
    this.#arena = arena;
    this.#slots = slots;
    this.#hook = hook;
  }

  /** At least so many events, and on until the time is over. */
  async run(events: number, seconds: number): Promise<void> {
    const endsAt = performance.now() + seconds * 1_000;
    let next = 0;
    const sender = async () => {
      while (!this.isOver && (next < events || performance.now() < endsAt)) {
        const n = next++;
        const from = Math.floor(this.#arena.chance.next() * this.#slots.length);
        await Promise.all(
          Array.from({ length: AT_ONCE }, (_, i) => this.#untilTold(n, (from + i) % this.#slots.length)),
        );
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
    this.#agent.destroy();
  }

  // A sender does not know of two processes: its repetition may come to either.
  async #untilTold(n: number, first: number): Promise<void> {
    const id = `msg_${n}`;
    for (let tries = 0; !this.isOver; tries++) {
      const slot = this.#slots[(first + tries) % this.#slots.length]!;
      const { body, headers } = fromStandard(JSON.stringify({ n }), { secret: this.#hook.secret, id });
      const seen = await exchange(this.#agent, slot.url, {
        path: `/hooks/${this.#hook.path}`,
        headers,
        body: String(body),
      });
      this.sent++;
      this.waits.push(seen.to - seen.from);
      if (seen.kind === 'answer' && seen.status === 202) {
        this.answers.set(id, [...(this.answers.get(id) ?? []), seen.text]);
        return;
      }
      if (seen.kind === 'broken') this.broken.note(slot, seen);
      else if (seen.kind === 'answer' && seen.status === 503 && Number(seen.headers['retry-after']) > 0)
        this.met.unavailable++;
      else {
        this.met.strange++;
        this.#arena.services.note(
          `strange: ${seen.kind === 'answer' ? `${seen.status} ${seen.text}` : 'no answer'}`,
        );
      }
      await delay(this.#arena.chance.between(50, 300));
    }
  }
}

const deliveries: Cell = {
  id: 'M26',
  title: 'one delivery five times at once over two API processes that die between commit and answer',
  quickSeconds: 12,
  async run(arena) {
    const { services, options, chance } = arena;
    await applyDocument(arena.database, 'hooked', DOCUMENT);
    const slots = await Promise.all(
      [0, 1].map((i) =>
        services.start({
          ...{ databaseUrl: options.url, role: 'api', isOpen: true },
          faults: { seed: options.seed + i * 1_000, diesAfterCommit: DIES },
        }),
      ),
    );
    await arena.workers.startReady(1, arena.settings());
    const hook = await makeWebhook(slots[0]!);
    const senders = new Senders(arena, slots, hook);
    let isDone = false;
    const running = senders.run(EVENTS, options.seconds).finally(() => {
      isDone = true;
    });
    let kills = 0;
    const killing = (async () => {
      while (!isDone) {
        // Both are there again before the next is killed: else nobody is there most of the time.
        await Promise.race([Promise.all(slots.map((slot) => slot.ready())), running]);
        await delay(chance.between(500, 3_000));
        const victim = chance.pick(slots);
        if (isDone) return;
        await victim.kill();
        kills++;
      }
    })();
    const isInTime = await within(options.seconds * 1_000 + 90_000, () => isDone);
    senders.isOver = true;
    await Promise.all([running, killing]);

    return async () => {
      const rows = await arena.query<{
        delivery: string;
        events: string[];
        executions: string[];
        right: number;
      }>(
        `select e.delivery_id as delivery, array_agg(distinct e.id) as events,
           coalesce(array_agg(distinct o.id) filter (where o.id is not null), '{}') as executions,
           count(*) filter (where o.status = 'completed' and o.output->>'n' = substr(e.delivery_id, 5))::int as right
         from dagwright.webhook_events e left join dagwright.workflow_executions o on o.trigger->>'eventId' = e.id::text
         where e.webhook_id = $1 group by 1`,
        [hook.id],
      );
      const [{ executions }] = (await arena.query<{ executions: number }>(
        `select count(*)::int as executions from dagwright.workflow_executions where workflow_id = 'hooked'`,
      )) as [{ executions: number }];
      const found = new Map(rows.map((row) => [row.delivery, row]));
      const wrong = [...senders.answers].filter(([id, answers]) => {
        const row = found.get(id);
        const told = [...new Set(answers)].map((text) => JSON.parse(text));
        const isOnce = row?.events.length === 1 && row.executions.length === 1 && row.right === 1;
        const isTold =
          told.length === 1 &&
          told[0].eventId === row?.events[0] &&
          told[0].executionId === row?.executions[0];
        if (!isOnce || !isTold) services.note(`${id}: ${JSON.stringify({ row, told })}`);
        return !isOnce || !isTold;
      }).length;
      const answered = [...senders.answers.values()].reduce((sum, { length }) => sum + length, 0);
      const ownEnds = slots.reduce((sum, slot) => sum + slot.ownEnds, 0);
      const { unexplained } = senders.broken;
      for (const code of unexplained) services.note(`broken: ${code}`);
      return {
        figures: {
          deliveries: `${senders.answers.size}, each ${AT_ONCE} times at once; ${senders.sent} requests`,
          'processes gone between commit and answer': String(ownEnds),
          'other kills': String(kills),
          'connections broken by kills': String(senders.broken.count - unexplained.length),
          'answers 503': String(senders.met.unavailable),
          'executions / deliveries': `${executions} / ${senders.answers.size}`,
          'deliveries with another number of executions than 1, or several answers': proportion(
            wrong,
            senders.answers.size,
          ),
          'wait p50 / p99 / max': [0.5, 0.99, 1]
            .map((share) => duration(percentile(senders.waits, share)))
            .join(' / '),
        },
        bars: [
          count('deliveries without exactly one event, execution and answer', wrong),
          count('executions without a delivery', executions - senders.answers.size),
          count(
            'repetitions not answered in the end',
            isInTime ? senders.answers.size * AT_ONCE - answered : 1,
          ),
          count('fewer deliveries than wanted', Math.max(0, EVENTS - senders.answers.size)),
          count('answers that were neither 202 nor 503 with Retry-After', senders.met.strange),
          count('connections broken by a process that lived', unexplained.length),
          count('no process was gone between commit and answer', ownEnds === 0 ? 1 : 0),
          count('process exits', services.unasked.length),
          ms('longest wait', most(senders.waits), ANSWERS_WITHIN_MS),
        ],
      };
    };
  },
};

async function makeWebhook(slot: ServiceSlot): Promise<{ id: string; path: string; secret: string }> {
  const answer = await fetch(`${slot.url}/v1/webhooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      workflowId: 'hooked',
      path: 'chaos',
      authType: 'none',
      verifier: 'standard_webhooks',
    }),
  });
  if (answer.status !== 201) throw new Error(`the webhook: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { id: string; path: string; secret: string };
}

export const DELIVERY_CELLS = [deliveries];
