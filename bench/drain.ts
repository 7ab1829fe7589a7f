// A backlog drained by worker processes (`dagwright start --role worker`) of this checkout or another: how long it takes, that
// each task ran once, and how much memory the largest worker took.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startExecutions } from '../src/db/executions/execution-starts.ts';
import { DEFAULT_TENANT_ID } from '../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../src/db/resources/definitions.ts';
import type { BenchServer } from './server.ts';
import { endProcess, startService, withDatabase } from './service.ts';

export interface DrainOptions {
  readonly server: BenchServer;
  /** How many workers drain it; one measurement each. */
  readonly workers: readonly number[];
  /** Executions of ten tasks in a row. */
  readonly chains: number;
  /** The checkout whose workers are measured. */
  readonly root: URL;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface DrainResult {
  readonly workers: number;
  readonly chains: number;
  readonly ms: number;
  /** Of the largest worker, at its largest (VmHWM); null where the system does not say. */
  readonly peakMegabytes: number | null;
}

const WORKFLOW_ID = 'bench-drain';
const TASKS = 10;
const BATCH = 500;

export async function measureDrain(options: DrainOptions): Promise<DrainResult[]> {
  const results: DrainResult[] = [];
  for (const workers of options.workers) {
    options.note(`${options.chains} chains, ${workers} workers`);
    results.push(await drain(options, workers));
  }
  return results;
}

async function drain({ server, chains, root, signal }: DrainOptions, workers: number): Promise<DrainResult> {
  const url = server.urls.dagwright;
  return await withDatabase(url, async (database) => {
    const nodes = Array.from({ length: TASKS }, (_, i) => ({
      ...{ taskId: `t${i}`, taskType: 'noop', config: {} },
      dependsOn: i === 0 ? [] : [{ taskId: `t${i - 1}` }],
    }));
    await applyDefinition(database, DEFAULT_TENANT_ID, { workflowId: WORKFLOW_ID, nodes }, 'bench');
    const count = async (status: string) => {
      const { rows } = await database.engine.query<{ n: number }>(
        'select count(*)::int as n from dagwright.workflow_executions where workflow_id = $1 and status = $2',
        [WORKFLOW_ID, status],
      );
      return rows[0]!.n;
    };
    const before = await count('completed');
    for (let done = 0; done < chains; done += BATCH)
      await startExecutions(
        database.engine,
        DEFAULT_TENANT_ID,
        Array.from({ length: Math.min(BATCH, chains - done) }, () => ({
          ...{ workflowId: WORKFLOW_ID, triggerType: 'api' as const, input: {} },
        })),
      );
    const tasks = fileURLToPath(new URL('./tasks.ts', import.meta.url));
    const startedAt = performance.now();
    const started = await Promise.all(
      Array.from({ length: workers }, () =>
        startService({
          url,
          role: 'worker',
          signal,
          root,
          env: { DAGWRIGHT_TASKS: tasks, DAGWRIGHT_CONCURRENCY: '64' },
        }),
      ),
    );
    try {
      while ((await count('completed')) < before + chains) {
        signal.throwIfAborted();
        await delay(50);
      }
      const ms = performance.now() - startedAt;
      const { rows } = await database.engine.query<{ n: number }>(
        `select count(*)::int as n from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
         where o.workflow_id = $1 and (t.attempt_number <> 1 or t.fence <> 1)`,
        [WORKFLOW_ID],
      );
      if (rows[0]!.n > 0) throw new Error(`${rows[0]!.n} tasks did not run once, at their first claim`);
      const peaks = await Promise.all(started.map((one) => peakMegabytes(one.process.pid!)));
      return {
        workers,
        chains,
        ms,
        peakMegabytes: peaks.some((peak) => peak === null) ? null : Math.max(...(peaks as number[])),
      };
    } finally {
      await Promise.all(started.map((one) => endProcess(one.process)));
    }
  });
}

async function peakMegabytes(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const found = /VmHWM:\s+(\d+) kB/.exec(status);
  return found === null ? null : Number(found[1]) / 1024;
}

export function drainText(results: readonly DrainResult[]): string {
  return results
    .map(
      ({ workers, chains, ms, peakMegabytes: peak }) =>
        `${chains} chains of ${TASKS}, ${workers} worker${workers === 1 ? '' : 's'}: ${(ms / 1000).toFixed(1)} s with their start, ` +
        `${Math.round((chains * TASKS * 1000) / ms)} steps a second${peak === null ? '' : `, ${Math.round(peak)} MB in the largest`}`,
    )
    .join('\n');
}
