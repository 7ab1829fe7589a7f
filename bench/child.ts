// A contender's own process. It does what the parent tells it, one measurement at a time, and is idle between them; it
// ends with the parent's pipe, however the parent ends.
import type { Contender, ContenderName, Measured } from './contender.ts';
import { measure, runFor } from './contender.ts';
import { openCommits } from './contenders/commits.ts';
import { openDagwright } from './contenders/dagwright.ts';
import { openDbos } from './contenders/dbos.ts';
import { openGraphile } from './contenders/graphile.ts';
import { openOpenWorkflow } from './contenders/openworkflow.ts';
import { openRestate } from './contenders/restate.ts';
import { countStatements, type StatementCount } from './statements.ts';
import { workloadNamed } from './workloads.ts';

/** What the parent asks for. */
export interface MeasureRequest {
  /** Of the contender's database. */
  readonly url: string;
  /** First process of the database server, where its processor time can be read. */
  readonly serverPid: number | null;
  readonly workload: string;
  readonly isQuick: boolean;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Count the statements that the process sends. */
  readonly isProfiling: boolean;
}

export type MeasureAnswer =
  | {
      readonly kind: 'measured';
      readonly measured: Measured;
      /** Steps of the whole session, warm-up included. */
      readonly sessionSteps: number;
      readonly statements: readonly StatementCount[];
    }
  | { readonly kind: 'failed'; readonly message: string };

const OPEN: Readonly<Record<ContenderName, Contender>> = {
  dagwright: openDagwright,
  dbos: openDbos,
  restate: openRestate,
  openworkflow: openOpenWorkflow,
  graphile: openGraphile,
  commits: openCommits,
};

const name = process.argv[2] as ContenderName;

async function answer(request: MeasureRequest): Promise<MeasureAnswer> {
  try {
    const { url, serverPid, workload, isQuick, warmUpMs, measureMs, isProfiling } = request;
    const counter = isProfiling ? countStatements() : null;
    const session = await OPEN[name](url, { workload: workloadNamed(workload), isQuick });
    const before = session.executed();
    await (session.warmUp === undefined ? runFor(session, warmUpMs) : session.warmUp());
    counter?.reset();
    const measured = await measure(session, measureMs, session.serverPid ?? serverPid);
    const statements = counter?.read() ?? [];
    const sessionSteps = ((session.executed() - before) * session.stepsPerRun) / session.bodiesPerRun;
    await session.close();
    counter?.stop();
    return { kind: 'measured', measured, sessionSteps, statements };
  } catch (error) {
    return {
      kind: 'failed',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

process.on('message', (request: MeasureRequest) => {
  void answer(request).then((message) => process.send?.(message));
});
process.on('disconnect', () => process.exit());
// Ctrl-C reaches the whole group; the parent alone decides.
process.on('SIGINT', () => {});
