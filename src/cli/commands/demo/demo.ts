// dagwright demo: a workflow on the embedded database, shown live, whose worker is killed in the middle.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowDefinition } from '../../../core/definition/model.ts';
import { parseDocument } from '../../../core/definition/reading/parse.ts';
import { validateDefinition } from '../../../core/definition/validate.ts';
import { sumUsd } from '../../../core/money.ts';
import { findCosts } from '../../../db/executions/costs.ts';
import type { ExecutionView, RunView, TaskView } from '../../../db/executions/execution-views.ts';
import { action } from '../../action.ts';
import { applyWorkflows } from '../../apply-workflow.ts';
import type { Command } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import { costSummary } from '../../output/cost-summary.ts';
import { executionSummary } from '../../output/task-table.ts';
import { formatUsd } from '../../output/terminal.ts';
import { Refusal } from '../../refusal.ts';
import { startOnce } from '../../run-execution.ts';
import type { System } from '../../system.ts';
import { ignore, watchToEnd } from '../../watch-execution.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

export function defineCommand(command: Command): void {
  command.action(action(runDemo));
}

const DEFINITION = fileURLToPath(new URL('../../../../examples/research-brief.yaml', import.meta.url));
const INPUT = { question: 'Why do durable workflows matter?', depth: 2 };
/** The task in whose middle the worker dies; the demo's copy of it takes three seconds. */
const STRUCK = 'deep_dive';
/** Between two looks: less than that task takes, by far. */
const LOOK_MS = 100;

async function runDemo(context: CommandContext): Promise<number> {
  const { paint, say } = context;
  say(
    `${paint('bold', 'Dagwright demo')}: examples/research-brief.yaml, with simulated models (no key, no network)\n`,
  );
  return await context.withSystem(
    async (system) => {
      const workers: WorkerProcess[] = [];
      const startWorker = async () => {
        const worker = await startWorkerProcess(context, system);
        workers.push(worker);
        return worker;
      };
      try {
        const first = await startWorker();
        say(`A worker takes tasks: process ${first.pid}.\n`);
        return await showRun(context, system, new Strike(context, first, startWorker));
      } finally {
        await Promise.all(workers.map((worker) => worker.stop()));
      }
    },
    { embedded: true },
  );
}

async function showRun(context: CommandContext, system: System, strike: Strike): Promise<number> {
  const { io, isJson, paint, say } = context;
  const [applied] = await applyWorkflows(system, [{ file: '', definition: await readDemo() }]);
  const { workflowId, revision } = applied!;
  const id = await startOnce({
    system,
    request: { workflowId, revision, input: INPUT, triggerType: 'manual' },
    tenant: context.tenant,
    note: context.note,
  });
  const { execution, tasks } = await watchToEnd(id, {
    io,
    system,
    live: !isJson && io.stdout.isTTY === true ? io.stdout : null,
    print: isJson ? ignore : say,
    paint,
    onLook: (found) => strike.look(found),
    everyMs: LOOK_MS,
  });
  if (!isJson) await tellEnd(context, system, execution, tasks);
  say(`\n${strike.verdict(tasks)}`);
  say(
    `\nThe run is kept: ${context.config.databaseUrl === undefined ? '' : 'DATABASE_URL= '}npx dagwright executions show ${id}\nYour own: npx dagwright init my-flows`,
  );
  context.printJson({ ...execution, tasks } satisfies RunView);
  return execution.status === 'completed' ? 0 : 1;
}

async function tellEnd(
  { paint, say }: CommandContext,
  { database, tenantId }: System,
  execution: ExecutionView,
  tasks: readonly TaskView[],
): Promise<void> {
  const spendings = await database.withTenant(tenantId, (client) =>
    findCosts(client, tenantId, execution.id),
  );
  const costs = costSummary(execution, { spendings, tasks }, paint);
  if (costs !== '') say(`\n${costs}\n`);
  say(executionSummary(execution, paint));
}

/** Kills the worker once, in the middle of a task, and starts another. */
class Strike {
  readonly #context: CommandContext;
  readonly #victim: WorkerProcess;
  readonly #startNext: () => Promise<WorkerProcess>;
  #before: readonly TaskView[] | null = null;

  constructor(context: CommandContext, victim: WorkerProcess, startNext: () => Promise<WorkerProcess>) {
    this.#context = context;
    this.#victim = victim;
    this.#startNext = startNext;
  }

  async look(tasks: readonly TaskView[]): Promise<string | null> {
    if (this.#before !== null || !tasks.some(isStruck)) return null;
    this.#before = tasks.filter(({ status }) => status === 'completed');
    await this.#victim.kill();
    const { pid } = await this.#startNext();
    const { paint } = this.#context;
    const spent = sumUsd(this.#before.map(({ costUsd }) => costUsd ?? '0'));
    return [
      '',
      `${paint('red', `✂ kill -9 ${this.#victim.pid}`)}: the demo has killed its own worker, in the middle of ${STRUCK}.`,
      `  ${this.#before.length} results and ${formatUsd(spent)} spent are in PostgreSQL. Another worker is there: process ${pid}.`,
      `  It takes over when two heartbeats were missed, after about 8 s, and goes on at ${STRUCK}.`,
      '',
    ].join('\n');
  }

  /** What the kill cost, from the tasks as they ended. */
  verdict(tasks: readonly TaskView[]): string {
    const { paint } = this.#context;
    if (this.#before === null) return `The run ended before its worker could be killed.`;
    const again = this.#before.filter((was) => tasks.find(isSame(was))?.completedAt !== was.completedAt);
    const attempt = tasks.find(({ taskId }) => taskId === STRUCK)?.attempt ?? 0;
    const kept =
      again.length === 0
        ? `none of the ${this.#before.length} results from before ran again`
        : `${again.length} of the ${this.#before.length} results from before ran again`;
    const by =
      attempt > 1 ? `attempt ${attempt}, on the second worker` : 'a worker that runs beside, which had it';
    return `${paint('bold', 'After kill -9')}: ${kept}; ${STRUCK} was done by ${by}.`;
  }
}

const isStruck = ({ taskId, status }: TaskView): boolean => taskId === STRUCK && status === 'running';
const isSame =
  ({ taskId, mapIndex }: TaskView) =>
  (other: TaskView) =>
    other.taskId === taskId && other.mapIndex === mapIndex;

// The example under a name of its own, with a task that is long enough to be killed in.
async function readDemo(): Promise<WorkflowDefinition> {
  const parsed = parseDocument(await readFile(DEFINITION, 'utf8'), 'yaml');
  const checked = parsed.ok ? validateDefinition(parsed.value) : parsed;
  if (!checked.ok) throw new Refusal(checked.problems);
  const { definition } = checked.value;
  const nodes = definition.nodes.map((node) =>
    node.taskId === STRUCK ? { ...node, modelId: 'simulated/deep' } : node,
  );
  return { ...definition, workflowId: 'demo', name: 'Demo', nodes };
}
