// Tasks whose worker died while they ran: from the second time on they run alone in their worker.
import { untilAnswered } from '../../db/connection/connection.ts';
import { markEntered } from '../../db/protocol/transitions.ts';
import type { WorkerContext } from '../context.ts';
import { Aborted } from './held.ts';
import type { Work } from './prepare.ts';

/** From so many on, a task runs alone in its worker. */
export const SUSPECT_RECOVERIES = 2;

// Waits until a suspect may run alone, or until no suspect runs or waits. Meanwhile the row says that the body has not
// been entered, so that a crash of this worker costs the task no recovery.
export async function passGate(
  worker: WorkerContext,
  { memory, claim }: Work,
  aborted: Promise<never>,
): Promise<() => void> {
  const isSuspect = claim.recoveries >= SUSPECT_RECOVERIES;
  const mark = async (hasEntered: boolean) => {
    const isOurs = untilAnswered(() => markEntered(worker.pool, memory.row.id, claim, hasEntered));
    if (!(await Promise.race([isOurs, aborted]))) throw new Aborted('lost');
  };
  if (!isSuspect) await mark(false);
  const entering = worker.gate.enter(isSuspect);
  let leave: (() => void) | undefined;
  try {
    leave = await Promise.race([entering, aborted]);
    await mark(true);
    return leave;
  } catch (failure) {
    void entering.then((leaveAgain) => leaveAgain());
    throw failure;
  }
}
