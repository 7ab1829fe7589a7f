// OpenWorkflow as its documentation shows it: a workflow of steps, started by run() and run by a worker with 64 slots, on
// its backend for PostgreSQL. A run has ended when its end is committed: the handle would learn that by polling once a second.
// The package is a peer of the benchmark only: what is used of it is written down below.
import type { Session, SessionOptions } from '../contender.ts';
import { layeredRunOf } from './layers.ts';

interface Backend {
  completeWorkflowRun(options: { workflowRunId: string }): Promise<unknown>;
  stop(): Promise<void>;
}

interface Step {
  run<Result>(config: { name: string }, body: () => Promise<Result>): Promise<Result>;
}

interface Workflow {
  run(input: readonly number[]): Promise<{ workflowRun: { id: string } }>;
}

interface Client {
  defineWorkflow(
    spec: { name: string },
    run: (options: { input: readonly number[]; step: Step }) => Promise<null>,
  ): Workflow;
  newWorker(options: { concurrency: number }): { start(): Promise<void>; stop(): Promise<void> };
}

const PACKAGE: string = 'openworkflow';
const SLOTS = 64;

export async function openOpenWorkflow(url: string, { workload, isQuick }: SessionOptions): Promise<Session> {
  const { OpenWorkflow } = (await import(PACKAGE)) as {
    OpenWorkflow: new (options: { backend: Backend }) => Client;
  };
  const { BackendPostgres } = (await import(`${PACKAGE}/postgres`)) as {
    BackendPostgres: { connect(url: string): Promise<Backend> };
  };
  const backend = await BackendPostgres.connect(url);
  const ended = trackEnds(backend);
  const client = new OpenWorkflow({ backend });
  let executed = 0;
  const workflow = client.defineWorkflow({ name: 'layers' }, async ({ input, step }) => {
    const body = async () => {
      executed++;
      return null;
    };
    for (const size of input) {
      if (size === 1) await step.run({ name: 'step' }, body);
      else await Promise.all(Array.from({ length: size }, () => step.run({ name: 'step' }, body)));
    }
    return null;
  });
  const worker = client.newWorker({ concurrency: SLOTS });
  await worker.start();
  const { layers, stepsPerRun, bodiesPerRun } = layeredRunOf(workload, isQuick);
  return {
    concurrency: workload.concurrency,
    stepsPerRun,
    bodiesPerRun,
    async run() {
      const { workflowRun } = await workflow.run(layers);
      await ended(workflowRun.id);
    },
    executed: () => executed,
    async close() {
      await worker.stop();
      await backend.stop();
    },
  };
}

// A run may end before its starter has learned the id.
function trackEnds(backend: Backend): (id: string) => Promise<void> {
  const early = new Set<string>();
  const waiting = new Map<string, () => void>();
  const complete = backend.completeWorkflowRun.bind(backend);
  backend.completeWorkflowRun = async (options) => {
    const result = await complete(options);
    const { workflowRunId: id } = options;
    const resolve = waiting.get(id);
    if (resolve === undefined) early.add(id);
    waiting.delete(id);
    resolve?.();
    return result;
  };
  return (id) => (early.delete(id) ? Promise.resolve() : new Promise((resolve) => waiting.set(id, resolve)));
}
