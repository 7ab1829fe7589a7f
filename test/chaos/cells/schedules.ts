// Schedules looked after by four schedulers that are killed, with wrong clocks, over outages: every nominal time gets one tick,
// as its policy says, and a fired one gets one execution (P7, I9). Then a thousand that are due at one moment.
// Nominal times are put into the past instead of waiting for them: what a scheduler reads is as after an outage of that length.
import { setTimeout as delay } from 'node:timers/promises';
import { checkSettings } from '../../../src/core/schedule/settings.ts';
import { CATCHUP_POLICIES } from '../../../src/core/schedule/words.ts';
import { isConnectionLoss } from '../../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../../src/db/resources/default-tenant.ts';
import { addSchedule } from '../../../src/resources/schedules/times.ts';
import { type Arena, within } from '../arena.ts';
import { type Cell, count, ms } from '../cell.ts';
import type { ServiceSlot } from '../services.ts';
import { duration, most, percentile } from '../statistics.ts';
import { judgeLedger, MINUTE, WINDOW_MS } from '../tick-ledger.ts';
import { applyDocument } from '../workload.ts';

/** Of the four schedulers. */
const CLOCK_OFFSETS_MS = [-90_000, 90_000, -3_600_000, 3_600_000];
const SCHEDULES = 50;
const SLOTS = { least: 20, most: 90 };
const AT_ONCE = 1_000;
const ALL_FIRED_MS = 5_000;
const DOCUMENT = `
nodes:
  - { taskId: keep, taskType: transformation, config: { output: 1 } }
output: { kept: $.tasks.keep.output }`;

async function makeSchedules(arena: Arena, prefix: string, n: number, more: object = {}): Promise<void> {
  await arena.database.withTenant(DEFAULT_TENANT_ID, async (client) => {
    for (let i = 0; i < n; i++) {
      const settings = checkSettings({
        ...{
          workflowId: 'tick',
          name: `${prefix}-${i}`,
          cronExpression: '* * * * *',
          overlapPolicy: 'allow_all',
        },
        ...{ catchupPolicy: CATCHUP_POLICIES[i % CATCHUP_POLICIES.length]! },
        ...{ catchupWindowSeconds: WINDOW_MS / 1_000, ...more },
      });
      if (!settings.ok) throw new Error(JSON.stringify(settings.problems));
      await addSchedule(client, DEFAULT_TENANT_ID, settings.value, { createdBy: 'chaos' });
    }
  });
}

/** Works through an outage that the cell itself makes. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionLoss(error) || tries > 200) throw error;
      await delay(50);
    }
  }
}

const isCaughtUp = (arena: Arena) => async () =>
  (
    await again(() =>
      arena.query(`select from dagwright.schedules where due_at < now() - interval '2 seconds' limit 1`),
    )
  ).length === 0;

// Kills one after the other until it is told to stop.
async function killAtRandom(
  { chance }: Arena,
  slots: readonly ServiceSlot[],
  until: () => boolean,
): Promise<number> {
  let kills = 0;
  while (!until()) {
    await delay(chance.between(100, 700));
    if (until()) break;
    await chance.pick(slots).kill();
    kills++;
  }
  return kills;
}

// All are due at an instant that comes 3 s from now. Until when all had fired, and how late each was; ms.
async function manyAtOnce(
  arena: Arena,
  prefix: string,
  atMoment?: () => Promise<void>,
): Promise<{ allMs: number; lateMs: number[] }> {
  await makeSchedules(arena, prefix, AT_ONCE);
  const [row] = await arena.query<{ at: string; inMs: number }>(
    `with moment as (select clock_timestamp() + interval '3 seconds' as at),
       moved as (update dagwright.schedules set next_run_at = moment.at, due_at = moment.at, fence = fence + 1 from moment where name like $1)
     select at, extract(epoch from at - clock_timestamp()) * 1000 as "inMs" from moment`,
    [`${prefix}-%`],
  );
  await delay(Number(row!.inMs));
  await atMoment?.();
  const fired = () =>
    arena.query<{ late: number }>(
      `select extract(epoch from t.decided_at - t.scheduled_at)::float8 * 1000 as late from dagwright.schedule_ticks t
       join dagwright.schedules s on s.id = t.schedule_id join dagwright.workflow_executions o on o.id = t.workflow_execution_id
       where s.name like $1 and t.status = 'fired' and t.scheduled_at = $2`,
      [`${prefix}-%`, row!.at],
    );
  const isIn = await within(60_000, async () => (await fired()).length >= AT_ONCE);
  const [now] = await arena.query<{ after: number }>(
    `select extract(epoch from clock_timestamp() - $1::timestamptz)::float8 * 1000 as after`,
    [row!.at],
  );
  await arena.query(
    `update dagwright.schedules set status = 'paused', next_run_at = null, due_at = null, fence = fence + 1 where name like $1`,
    [`${prefix}-%`],
  );
  return {
    allMs: isIn ? now!.after : Number.POSITIVE_INFINITY,
    lateMs: (await fired()).map(({ late }) => late),
  };
}

const schedules: Cell = {
  id: 'M25',
  title:
    'four schedulers with wrong clocks, killed at random, over outages of 50 schedules; 1,000 due at one moment',
  quickSeconds: 15,
  hasOwnServer: true,
  async run(arena) {
    const { options, services, chance } = arena;
    const { server } = options;
    if (server === undefined) throw new Error('M25 needs a server of its own');
    await applyDocument(arena.database, 'tick', DOCUMENT);
    const slots: ServiceSlot[] = [];
    for (const clockOffsetMs of CLOCK_OFFSETS_MS)
      slots.push(
        await services.start({
          ...{ databaseUrl: options.url, role: 'scheduler' },
          faults: { seed: options.seed, clockOffsetMs },
        }),
      );
    await arena.workers.startReady(1, arena.settings());
    const quiet = await manyAtOnce(arena, 'quiet');
    const killed = await manyAtOnce(arena, 'killed', () => chance.pick(slots).kill());

    const firsts = new Map<string, number>();
    const met = { kills: 0, databaseAway: 0, allAway: 0 };
    const beganAt = performance.now();
    let isBehind = 0;
    const rounds = await arena.repeat(async (round) => {
      const isDatabase = round % 2 === 0;
      if (!isDatabase) {
        await Promise.all(slots.map((slot) => slot.halt()));
        met.allAway++;
      }
      const prefix = `outage-${round}`;
      await makeSchedules(arena, prefix, SCHEDULES);
      if (isDatabase) {
        await server.stop(round % 4 === 0 ? 'immediate' : 'fast');
        await delay(300);
        met.databaseAway++;
        await server.start();
      }
      await putIntoPast(arena, prefix, firsts);
      if (!isDatabase) for (const slot of slots) slot.revive();
      let isDone = false;
      const killing = killAtRandom(
        arena,
        slots,
        () => isDone || performance.now() - beganAt > options.seconds * 1_000,
      );
      if (!(await within(60_000, isCaughtUp(arena)))) isBehind++;
      isDone = true;
      met.kills += await killing;
      await Promise.all(slots.map((slot) => slot.ready()));
      await arena.query(
        `update dagwright.schedules set status = 'paused', next_run_at = null, due_at = null, fence = fence + 1 where name like $1`,
        [`${prefix}-%`],
      );
    });

    return async () => {
      const judged = await judgeLedger(arena, firsts);
      const [row] = await arena.query<{ strays: number; doubled: number; fired: number; executions: number }>(
        `select count(*) filter (where t.workflow_execution_id is null)::int as strays, count(*)::int as executions,
           (count(*) - count(distinct (o.trigger->>'scheduleId', o.trigger->>'scheduledAt')))::int as doubled
         from dagwright.workflow_executions o left join dagwright.schedule_ticks t on t.workflow_execution_id = o.id where o.workflow_id = 'tick'`,
      );
      const late = (values: readonly number[]) =>
        [0.5, 0.99, 1].map((share) => duration(percentile(values, share))).join(' / ');
      return {
        figures: {
          outages: `${rounds}: database away ${met.databaseAway}, all schedulers away ${met.allAway}`,
          'kills of schedulers': String(met.kills),
          'ticks / expected': `${judged.ticks - judged.missing} / ${judged.ticks}`,
          'fired / missed': `${judged.fired} / ${judged.missed} (${judged.onTheBorder} on a border)`,
          'executions without a tick, doubled': `${row!.strays}, ${row!.doubled} of ${row!.executions}`,
          [`${AT_ONCE} at one moment, all fired after`]: duration(quiet.allMs),
          'late p50 / p99 / max': late(quiet.lateMs),
          'with a scheduler killed at that moment': `${duration(killed.allMs)}; ${late(killed.lateMs)}`,
        },
        bars: [
          count('nominal times without a tick', judged.missing),
          count('ticks against their policy', judged.againstPolicy),
          count('fired ticks without exactly one execution, or others with one', judged.notOnce),
          count('executions without a tick', row!.strays),
          count('nominal times with two executions', row!.doubled),
          count('policies that were not met', judged.fired === 0 || judged.missed === 0 ? 1 : 0),
          count('outages not caught up within 60 s', isBehind),
          count('process exits', services.unasked.length),
          ms('1,000 fired', most([quiet.allMs]), ALL_FIRED_MS),
          ms('1,000 fired, one scheduler killed', most([killed.allMs]), ALL_FIRED_MS),
        ],
      };
    };
  },
};

// Each schedule's next nominal time was so many minutes ago, another number for each. Sent again, it says the same.
async function putIntoPast(arena: Arena, prefix: string, firsts: Map<string, number>): Promise<void> {
  const [clock] = await again(() => arena.query<{ now: string }>('select clock_timestamp() as now'));
  const minute = Math.floor(Date.parse(clock!.now) / MINUTE) * MINUTE;
  const names = Array.from({ length: SCHEDULES }, (_, i) => `${prefix}-${i}`);
  for (const name of names)
    firsts.set(name, minute - Math.round(arena.chance.between(SLOTS.least, SLOTS.most)) * MINUTE);
  await again(() =>
    arena.query(
      `update dagwright.schedules s set next_run_at = p.first, due_at = p.first, fence = fence + 1
       from unnest($1::text[], $2::timestamptz[]) as p(name, first) where s.name = p.name`,
      [names, names.map((name) => new Date(firsts.get(name)!))],
    ),
  );
}

export const SCHEDULE_CELLS = [schedules];
