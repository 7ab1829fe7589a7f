// What the ledger of schedules must hold after outages, worked out minute by minute and not by the code that is judged.
import type { CatchupPolicy } from '../../src/core/schedule/words.ts';
import type { Arena } from './arena.ts';

export const MINUTE = 60_000;
/** Of catch-up `all`: less than the longest outage, so that both sides of it are met. */
export const WINDOW_MS = 3_600_000;
/** src/core/schedule/decide-ticks.ts, D2: what is due for longer was missed. */
const GRACE_MS = 10_000;
/** Between the read that a decision is made by and the time that its rows name. */
const DECIDING_MS = 3_000;

interface Tick {
  readonly at: number;
  readonly decidedAt: number;
  readonly status: string;
  readonly executions: number;
}

/** What must become of a nominal time that was decided at `decidedAt`. */
function expected(policy: CatchupPolicy, at: number, decidedAt: number): 'fired' | 'missed' {
  const lateMs = decidedAt - at;
  if (lateMs <= GRACE_MS) return 'fired';
  if (policy === 'none') return 'missed';
  if (policy === 'all') return lateMs <= WINDOW_MS ? 'fired' : 'missed';
  return lateMs < MINUTE ? 'fired' : 'missed';
}

export interface Judged {
  readonly ticks: number;
  readonly fired: number;
  readonly missed: number;
  /** Decided so near to a border of their policy that either is right. */
  readonly onTheBorder: number;
  readonly missing: number;
  readonly againstPolicy: number;
  readonly notOnce: number;
}

/** Compares the ledger with an enumeration of its own: every minute from the first (by schedule) to the last that was decided. */
export async function judgeLedger(arena: Arena, firsts: ReadonlyMap<string, number>): Promise<Judged> {
  const sum = { ticks: 0, fired: 0, missed: 0, onTheBorder: 0, missing: 0, againstPolicy: 0, notOnce: 0 };
  const rows = await arena.query<{
    name: string;
    policy: CatchupPolicy;
    last: string;
    ticks: readonly (readonly [string, string, string, number])[];
  }>(
    `select s.name, s.catchup_policy as policy, max(t.scheduled_at) as last,
       json_agg(json_build_array(t.scheduled_at, t.decided_at, t.status,
         (select count(*) from dagwright.workflow_executions o where o.id = t.workflow_execution_id))) as ticks
     from dagwright.schedules s join dagwright.schedule_ticks t on t.schedule_id = s.id where s.name like 'outage-%' group by s.id`,
  );
  for (const { name, policy, last, ticks } of rows) {
    const found = new Map<number, Tick>(
      ticks.map(([at, decidedAt, status, executions]) => [
        Date.parse(at),
        { at: Date.parse(at), decidedAt: Date.parse(decidedAt), status, executions },
      ]),
    );
    for (let at = firsts.get(name)!; at <= Date.parse(last); at += MINUTE) {
      sum.ticks++;
      const tick = found.get(at);
      found.delete(at);
      if (tick === undefined) {
        sum.missing++;
        continue;
      }
      const { status, decidedAt, executions } = tick;
      const wanted = new Set([
        expected(policy, at, decidedAt),
        expected(policy, at, decidedAt - DECIDING_MS),
      ]);
      if (wanted.size > 1) sum.onTheBorder++;
      if (!(wanted as ReadonlySet<string>).has(status)) {
        sum.againstPolicy++;
        arena.services.note(`${name} ${policy}: ${JSON.stringify(tick)}`);
      }
      if (status === 'fired') sum.fired++;
      if (status === 'missed') sum.missed++;
      if (executions !== (status === 'fired' ? 1 : 0)) sum.notOnce++;
    }
    // Nominal times that nobody can name.
    sum.againstPolicy += found.size;
  }
  return { ...sum, missing: sum.missing + (firsts.size - rows.length) };
}
