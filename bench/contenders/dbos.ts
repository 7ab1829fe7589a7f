// DBOS Transact as its documentation shows it: a registered workflow, steps by DBOS.runStep, started by
// DBOS.startWorkflow in the process that runs it, awaited by handle.getResult. No conductor, no telemetry.
// The package is a peer of the benchmark only, so its types are not here before first use: what is used of it is
// written down below.
import type { Session, SessionOptions } from '../contender.ts';
import { layeredRunOf } from './layers.ts';

interface Dbos {
  setConfig(config: {
    name: string;
    applicationVersion: string;
    systemDatabaseUrl: string;
    systemDatabasePoolSize: number;
    logLevel: string;
  }): void;
  launch(): Promise<void>;
  shutdown(): Promise<void>;
  registerWorkflow<Args extends unknown[], Result>(
    run: (...args: Args) => Promise<Result>,
    config: { name: string },
  ): (...args: Args) => Promise<Result>;
  startWorkflow<Args extends unknown[], Result>(
    workflow: (...args: Args) => Promise<Result>,
  ): (...args: Args) => Promise<{ getResult(): Promise<Result> }>;
  runStep<Result>(step: () => Promise<Result>, config: { name: string }): Promise<Result>;
}

const PACKAGE: string = '@dbos-inc/dbos-sdk';
/** Its default is 10; more gave it nothing here. */
const CONNECTIONS = 10;

let registered: ((layers: readonly number[]) => Promise<null>) | undefined;
let executed = 0;

async function step(): Promise<null> {
  executed++;
  return null;
}

export async function openDbos(url: string, { workload, isQuick }: SessionOptions): Promise<Session> {
  const { DBOS } = (await import(PACKAGE)) as { DBOS: Dbos };
  registered ??= registerLayers(DBOS);
  const workflow = registered;
  DBOS.setConfig({
    name: 'bench',
    applicationVersion: '1',
    systemDatabaseUrl: url,
    systemDatabasePoolSize: CONNECTIONS,
    logLevel: 'error',
  });
  await DBOS.launch();
  const { layers, warmUp, stepsPerRun, bodiesPerRun } = layeredRunOf(workload, isQuick);
  const run = async (sizes: readonly number[]) => {
    const handle = await DBOS.startWorkflow(workflow)(sizes);
    await handle.getResult();
  };
  return {
    concurrency: workload.concurrency,
    stepsPerRun,
    bodiesPerRun,
    run: () => run(layers),
    ...(warmUp === null ? {} : { warmUp: () => run(warmUp) }),
    executed: () => executed,
    close: () => DBOS.shutdown(),
  };
}

// Layers one after the other; the steps of a layer at once, by Promise.all, which is its idiom for parallel steps.
function registerLayers(DBOS: Dbos): (layers: readonly number[]) => Promise<null> {
  return DBOS.registerWorkflow(
    async (layers: readonly number[]) => {
      for (const size of layers) {
        if (size === 1) await DBOS.runStep(step, { name: 'step' });
        else await Promise.all(Array.from({ length: size }, () => DBOS.runStep(step, { name: 'step' })));
      }
      return null;
    },
    { name: 'layers' },
  );
}
