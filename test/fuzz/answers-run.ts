// A worker with a heap of 600 MB takes so many hostile answers: it must not end, and must not lose its lease, and every task must
// end by itself.
import { setTimeout as delay } from 'node:timers/promises';
import { startExecutions } from '../../src/db/executions/execution-starts.ts';
import { migrateDatabase } from '../../src/db/operations/migrate.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../src/db/resources/definitions.ts';
import { openOwnPostgres } from '../crash/support/own-postgres.ts';
import { openScenario, type Scenario } from '../crash/support/scenario.ts';
import { openHostileServer } from './hostile-server.ts';
import { HighestMemory } from './memory.ts';

const HEAP_MB = 600;
/** As a worker has it unless told otherwise. */
const CONCURRENCY = 16;
/** Answers of one execution, by a fan-out. */
const FAN = 50;
const CALL_SECONDS = 5;
/** Executions at once. */
const OPEN = 4;
const PROGRESS_MS = 15_000;
const WAYS = ['plain', 'mapped', 'model'] as const;

const config = (origin: string, way: (typeof WAYS)[number]) =>
  way === 'model'
    ? {
        baseUrl: `${origin}/model/{{ item }}`,
        prompt: 'x',
        ...(way === 'model' && { responseSchema: { type: 'object' } }),
      }
    : {
        url: `${origin}/plain/{{ item }}`,
        maxResponseBytes: 16_000_000,
        expectedStatus: ['2xx', '3xx', '4xx', '5xx'],
      };

function workflowOf(origin: string, way: (typeof WAYS)[number]) {
  const task = {
    ...{
      taskType: way === 'model' ? 'model_inference' : 'external_api',
      optional: true,
      timeoutSeconds: CALL_SECONDS,
    },
    ...(way === 'model' && { modelId: 'hostile/m' }),
    ...{ retry: { maxAttempts: 1 }, config: config(origin, way) },
    outputMapping: way === 'plain' ? { status: '$.output.status' } : '{{ length(json(output)) }}',
  };
  const items = `{{ range(input.from, input.to) }}`;
  return {
    workflowId: `answers-${way}`,
    nodes: [
      {
        taskId: 'all',
        taskType: 'parallel',
        dependsOn: [],
        config: { items, maxConcurrency: CONCURRENCY, task },
        outputMapping: '{{ count(output) }}',
      },
    ],
  };
}

/** True when nothing is wrong. */
export async function runAnswers(
  { answers, seed, seconds }: { readonly answers: number; readonly seed: number; readonly seconds: number },
  say: (text: string) => void,
): Promise<boolean> {
  const server = await openOwnPostgres();
  const hostile = await openHostileServer(seed);
  try {
    await migrateDatabase(server.url);
    await using scenario = await openScenario(server.url);
    for (const way of WAYS)
      await applyDefinition(
        scenario.database,
        DEFAULT_TENANT_ID,
        workflowOf(hostile.origin, way) as never,
        'fuzz',
      );
    const [worker] = await scenario.supervisor.startReady(1, {
      ...{ heapMb: HEAP_MB, concurrency: CONCURRENCY, outside: { allowedHosts: [hostile.host] } },
    });
    const highest = new HighestMemory(() => worker!.pid);
    const startedAt = performance.now();
    let asked = 0;
    const askMore = async () => {
      const [from, to] = [asked, Math.min(answers, asked + FAN)];
      const workflowId = `answers-${WAYS[(from / FAN) % WAYS.length]}`;
      asked = to;
      await startExecutions(scenario.database.engine, DEFAULT_TENANT_ID, [
        { workflowId, input: { from, to }, triggerType: 'manual' },
      ]);
    };
    const isOver = () => asked >= answers || performance.now() - startedAt > seconds * 1_000;
    const open = async () =>
      (
        await one<{ n: number }>(
          scenario,
          `select count(*)::int as n from dagwright.workflow_executions where status in ('pending', 'running')`,
        )
      ).n;
    let toldAt = startedAt;
    for (let left = 0; worker!.isAlive && (left > 0 || !isOver()); left = await open()) {
      for (let more = left; more < OPEN && !isOver(); more++) await askMore();
      await delay(500);
      if (performance.now() - toldAt < PROGRESS_MS) continue;
      toldAt = performance.now();
      process.stderr.write(`${hostile.served} answers, ${Math.round(highest.mb)} MB at most\n`);
    }
    highest.stop();
    return await judge(
      scenario,
      {
        answers: asked,
        served: hostile.served,
        highestMb: highest.mb,
        seconds: (performance.now() - startedAt) / 1_000,
      },
      say,
    );
  } finally {
    await hostile.close();
    await server.remove();
  }
}

interface Figures {
  readonly answers: number;
  readonly served: number;
  readonly highestMb: number;
  readonly seconds: number;
}

async function judge(scenario: Scenario, figures: Figures, say: (text: string) => void): Promise<boolean> {
  const { supervisor } = scenario;
  const [worker] = supervisor.workers;
  const row = await one<{ tasks: number; recovered: number; completed: number; beats: number | null }>(
    scenario,
    `select count(*)::int as tasks, count(*) filter (where recoveries > 0)::int as recovered,
       count(*) filter (where output is not null and output::text <> 'null')::int as completed from dagwright.task_executions where map_index >= 0`,
  );
  const { rows: ends } = await scenario.database.engine.query<{ code: string; n: number }>(
    `select error->>'code' as code, count(*)::int as n from dagwright.task_attempts where map_index >= 0 group by 1 order by 2 desc`,
  );
  const complaints = supervisor.complaints();
  say(
    `${figures.served} answers to ${row.tasks} tasks in ${Math.round(figures.seconds)} s; ${row.completed} were taken; failed attempts by code: ` +
      `${ends.map(({ code, n }) => `${code} ${n}`).join(', ')}; memory at most ${Math.round(figures.highestMb)} MB with a heap of ${HEAP_MB}; ` +
      `the worker's log: ${JSON.stringify(complaints)}`,
  );
  const problems = [
    ...(worker!.isAlive ? [] : [`the worker ended: ${worker!.stderr}`]),
    ...(worker!.stderr === '' ? [] : [`the worker said: ${worker!.stderr}`]),
    ...Object.keys(complaints).filter((text) => /dead|register|stale|early/.test(text)),
    ...(row.recovered === 0 ? [] : [`${row.recovered} tasks were taken over`]),
    ...(row.tasks === figures.answers ? [] : [`${row.tasks} tasks instead of ${figures.answers}`]),
    ...(figures.served < figures.answers * 0.9 ? [`only ${figures.served} answers were asked for`] : []),
  ];
  for (const problem of problems) say(`  ✘ ${problem}`);
  return problems.length === 0;
}

async function one<T extends object>({ database }: Scenario, sql: string): Promise<T> {
  return (await database.engine.query(sql)).rows[0] as T;
}
