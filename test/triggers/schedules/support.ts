// Schedules in a test: a database of its own, time that is moved in the database, and passes run by hand.

import type { WorkflowDefinition } from '../../../src/core/definition/model.ts';
import type { TaskLog } from '../../../src/core/log-lines.ts';
import { checkSettings, type ScheduleFields } from '../../../src/core/schedule/settings.ts';
import type { TickStatus } from '../../../src/core/schedule/words.ts';
import { DEFAULT_TENANT_ID } from '../../../src/db/resources/default-tenant.ts';
import { findTicks, type TickView } from '../../../src/db/resources/schedule-ticks.ts';
import type { ScheduleView } from '../../../src/db/resources/schedules.ts';
import { addSchedule } from '../../../src/resources/schedules/times.ts';
import { createSchedulePass } from '../../../src/triggers/schedules/pass.ts';
import { definition, type Engine, openEngine } from '../../support/engine.ts';

export const HOUR = 3_600_000;

export interface Bench {
  readonly engine: Engine;
  readonly logged: string[];
  /** Makes an hourly schedule with so many undecided times, the latest about half an hour ago: nothing comes due meanwhile. */
  overdue(
    hours: number,
    fields?: Partial<ScheduleFields>,
  ): Promise<ScheduleView & { readonly times: number[] }>;
  /** Makes now a nominal time of it, and passes: a tick that is on time. */
  dueNow(scheduleId: string): Promise<number>;
  /** Passes until nothing is due. */
  work(): Promise<number>;
  ticks(scheduleId: string): Promise<TickView[]>;
  /** `fired 2, missed 3`: oldest first. */
  summary(scheduleId: string): Promise<string>;
  /** Ends open executions as if a worker had. */
  end(ids: readonly string[], status?: 'completed' | 'failed'): Promise<void>;
  executions(
    scheduleId: string,
  ): Promise<{ id: string; status: string; scheduledAt: string; input: unknown }[]>;
  close(): Promise<void>;
}

export const WORKFLOW: WorkflowDefinition = definition(
  [
    {
      taskId: 'a',
      taskType: 'transformation',
      dependsOn: [],
      config: { output: '{{ trigger.scheduledAt }}' },
    },
  ],
  { workflowId: 'scheduled' },
);

/** Without a worker, unless asked for: executions stay open until the test ends them. */
export async function openBench({ worker = false } = {}): Promise<Bench> {
  const engine = await openEngine({ idle: !worker, faults: false });
  await engine.apply(WORKFLOW);
  const logged: string[] = [];
  const note = (message: string, fields?: unknown) =>
    void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log: TaskLog = { debug: () => {}, info: () => {}, warn: note, error: note };
  const pass = createSchedulePass({ database: engine.database, log });
  const bench: Bench = {
    engine,
    logged,
    async overdue(hours, fields = {}) {
      const latest = Math.floor((await clock(engine)) / 60_000) * 60_000 - HOUR / 2;
      const cronExpression = `${new Date(latest).getUTCMinutes()} * * * *`;
      const schedule = await makeSchedule(engine, { cronExpression, ...fields });
      const times = Array.from({ length: hours }, (_, i) => latest - (hours - 1 - i) * HOUR);
      await moveTo(engine, schedule.id, times[0]!);
      return { ...schedule, times };
    },
    async dueNow(id) {
      const at = await clock(engine);
      await moveTo(engine, id, at);
      await bench.work();
      return at;
    },
    async work() {
      let done = 0;
      for (let passes = 0; passes < 100; passes++) {
        const applied = await pass.run();
        if (applied === 0) return done;
        done += applied;
      }
      throw new Error('the passes find no end');
    },
    ticks: async (id) =>
      (
        await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
          findTicks(client, DEFAULT_TENANT_ID, id, { limit: 100_000, before: null }),
        )
      ).rows.toReversed(),
    async summary(id) {
      const runs: [TickStatus, number][] = [];
      for (const { status } of await bench.ticks(id)) {
        if (runs.at(-1)?.[0] === status) runs.at(-1)![1]++;
        else runs.push([status, 1]);
      }
      return runs.map(([status, n]) => `${status} ${n}`).join(', ');
    },
    async end(ids, status = 'completed') {
      await engine.query(
        `update dagwright.workflow_executions set status = $2, completed_at = clock_timestamp() where id = any($1)`,
        [ids, status],
      );
    },
    executions: async (id) =>
      await engine.query(
        `select id, status, trigger->>'scheduledAt' as "scheduledAt", input from dagwright.workflow_executions
         where trigger->>'scheduleId' = $1 order by trigger->>'scheduledAt', id`,
        [id],
      ),
    close: () => engine.close(),
  };
  return bench;
}

let made = 0;

export async function makeSchedule(
  engine: Engine,
  fields: Partial<ScheduleFields> = {},
): Promise<ScheduleView> {
  const settings = checkSettings({
    workflowId: WORKFLOW.workflowId,
    name: `s${made++}`,
    cronExpression: '* * * * *',
    ...fields,
  });
  if (!settings.ok) throw new Error(JSON.stringify(settings.problems));
  const saved = await engine.database.withTenant(DEFAULT_TENANT_ID, (client) =>
    addSchedule(client, DEFAULT_TENANT_ID, settings.value, { createdBy: 'test' }),
  );
  if (saved === null) throw new Error('its name is taken');
  return saved;
}

/** As if nobody had looked after the schedule since this nominal time. */
export async function moveTo(engine: Engine, scheduleId: string, nominalMs: number): Promise<void> {
  const at = new Date(nominalMs).toISOString();
  await engine.query('update dagwright.schedules set next_run_at = $2, due_at = $2 where id = $1', [
    scheduleId,
    at,
  ]);
}

/** The database's, in milliseconds. */
export async function clock(engine: Engine): Promise<number> {
  const [row] = await engine.query<{ now: string }>('select clock_timestamp() as now');
  return Date.parse(row!.now);
}
