// Waits for signals whose conditions a worker has to evaluate (functions/protocol/signals.sql, G1 to G6). Who judges is the attempt
// of a wait: the one that opened it, about what was stored before, or one that was woken, about what has come since, for all waits
// of its names. Nothing is locked while conditions are evaluated; what they came to is written under the execution's lock, where a
// wait that has gone meanwhile sends its signal back to be judged again. Two judges come to the same, and the first counts.
// Dying before that commit leaves all as it was, and the attempt is taken over; after it, the waits that got a signal are ready.
import { randomBytes } from 'node:crypto';
import type { NodeDefinition } from '../../core/definition/model.ts';
import { EvaluationBudget } from '../../core/expression/evaluation-budget.ts';
import { evaluateCondition } from '../../core/expression/mapping.ts';
import { FUNCTION_CONTEXT, type Scope, STEP_BUDGET } from '../../core/expression/scope.ts';
import { uuidFrom } from '../../core/id.ts';
import { isJsonObject } from '../../core/json.ts';
import { untilAnswered } from '../../db/connection/connection.ts';
import {
  findOpenWaits,
  findStoredSignals,
  type Judgement,
  matchSignals,
  type OpenWait,
  openSignalWait,
  type StoredSignal,
} from '../../db/protocol/signals.ts';
import { eventLoop } from '../../tasks/event-loop.ts';
import { partsOf } from '../../tasks/parallel.ts';
import type { AnswerState, SignalWait } from '../../tasks/task-type.ts';
import { signalConditionOf } from '../../tasks/wait-for-signal.ts';
import type { WorkerContext } from '../context.ts';
import type { ExecutionMemory } from '../memory/memory.ts';
import { AttemptAbort } from './abort.ts';
import { answerStateOf } from './answer.ts';
import type { OwnAttempt } from './own-attempt.ts';

const KEY_BYTES = 32;
const SIGNALS_AT_ONCE = 100;
const WAITS_AT_ONCE = 500;
/** Of the waits for one name so many pages are kept while signals are judged. */
const PAGES_KEPT = 4;
/** Conditions that are evaluated in one turn of the event loop. */
const CONDITIONS_PER_TURN = 20;

/** Opens the wait; the signal that came before it, or what is left of its time. */
export async function openSignalWaitOf(
  worker: WorkerContext,
  attempt: OwnAttempt,
  { names, conditionReads, timeoutMs }: SignalWait,
): Promise<AnswerState> {
  const { executionId, claim } = attempt;
  const readsJson = conditionReads === null ? null : JSON.stringify(conditionReads);
  const wait = { key: randomBytes(KEY_BYTES), names, readsJson, timeoutMs };
  const open = () => openSignalWait(worker.pool, executionId, claim, wait);
  const opened = await worker.locked.run(executionId, open);
  if (opened === 'lost') throw new AttemptAbort('lost');
  if (opened === 'open') return { status: 'open', output: null, error: null, leftMs: timeoutMs };
  if (opened === 'judge') await judge(worker, attempt, { all: true });
  return await answerStateOf(worker, executionId, claim, 'signal');
}

/** What has come for a wait that was woken, once all is judged that came for its names. */
export async function signalStateOf(worker: WorkerContext, attempt: OwnAttempt): Promise<AnswerState> {
  await judge(worker, attempt, { all: false });
  return await answerStateOf(worker, attempt.executionId, attempt.claim, 'signal');
}

/** Judges what is stored for this wait's names: all of it, or what is not judged yet. */
async function judge(
  worker: WorkerContext,
  attempt: OwnAttempt,
  { all }: { readonly all: boolean },
): Promise<void> {
  const { executionId, claim, signal } = attempt;
  let after = 0;
  for (;;) {
    signal.throwIfAborted();
    const page = { after, all, limit: SIGNALS_AT_ONCE };
    const signals = await untilAnswered(() => findStoredSignals(worker.pool, executionId, claim, page));
    if (signals.length === 0) return;
    const judgement = await judgePage(worker, attempt, signals);
    const write = () => matchSignals(worker.pool, executionId, judgement);
    // What a wait that has gone was to take comes up again.
    if (await worker.locked.run(executionId, write)) after = signals.at(-1)!.position;
  }
}

/** Which wait takes which of these signals: one after the other, as they came. */
async function judgePage(
  worker: WorkerContext,
  attempt: OwnAttempt,
  signals: readonly StoredSignal[],
): Promise<Judgement> {
  const matches: Judgement['matches'][number][] = [];
  const refused: number[] = [];
  const busy = new Set<string>();
  const lines = new Map<string, WaitLine>();
  for (const signal of signals) {
    let line = lines.get(signal.name);
    if (line === undefined) {
      line = new WaitLine(worker, attempt.executionId, signal.name);
      lines.set(signal.name, line);
    }
    const takers = await takersOf(worker, attempt, { signal, line, busy });
    for (const { taskId, mapIndex } of takers) matches.push({ position: signal.position, taskId, mapIndex });
    for (const wait of takers) busy.add(placeOf(wait));
    if (takers.length === 0 || signal.broadcast) refused.push(signal.position);
  }
  return { matches, refused };
}

/** The open waits for one name, the oldest first: those at its head are read once for all signals of a page. */
class WaitLine {
  readonly #load: (after: OpenWait | null) => Promise<readonly OpenWait[]>;
  readonly #head: (readonly OpenWait[])[] = [];

  constructor(worker: WorkerContext, executionId: string, name: string) {
    this.#load = (after) =>
      untilAnswered(() => findOpenWaits(worker.pool, executionId, name, { after, limit: WAITS_AT_ONCE }));
  }

  async *pages(): AsyncGenerator<readonly OpenWait[]> {
    let after: OpenWait | null = null;
    for (let n = 0; ; n++) {
      const page: readonly OpenWait[] = this.#head[n] ?? (await this.#load(after));
      if (n < PAGES_KEPT) this.#head[n] = page;
      yield page;
      if (page.length < WAITS_AT_ONCE) return;
      after = page.at(-1)!;
    }
  }
}

const placeOf = ({ taskId, mapIndex }: Pick<OpenWait, 'taskId' | 'mapIndex'>) => `${mapIndex} ${taskId}`;

/** The oldest wait that takes the signal, or of a broadcast all that do. */
async function takersOf(
  worker: WorkerContext,
  attempt: OwnAttempt,
  {
    signal,
    line,
    busy,
  }: { readonly signal: StoredSignal; readonly line: WaitLine; readonly busy: ReadonlySet<string> },
): Promise<readonly OpenWait[]> {
  const own = placeOf(attempt.claim);
  const takers: OpenWait[] = [];
  for await (const page of line.pages()) {
    // Others have looked at what is judged.
    const asked = page.filter(
      (wait) => !busy.has(placeOf(wait)) && (!signal.isJudged || placeOf(wait) === own),
    );
    for (let from = 0; from < asked.length; from += CONDITIONS_PER_TURN) {
      const some = asked.slice(from, from + CONDITIONS_PER_TURN);
      takers.push(
        ...(await eventLoop.run(attempt.work.memory.row.tenantId, () =>
          takingOf(worker, attempt, some, signal),
        )),
      );
      if (takers.length > 0 && !signal.broadcast) return takers;
    }
  }
  return takers;
}

function takingOf(
  worker: WorkerContext,
  attempt: OwnAttempt,
  waits: readonly OpenWait[],
  signal: StoredSignal,
): readonly OpenWait[] {
  if (signal.broadcast) return waits.filter((wait) => takes(worker, attempt, wait, signal));
  const first = waits.find((wait) => takes(worker, attempt, wait, signal));
  return first === undefined ? [] : [first];
}

// A condition that fails on what a stranger sent is one that does not hold: the wait goes on, and its log says why.
function takes(worker: WorkerContext, attempt: OwnAttempt, wait: OpenWait, signal: StoredSignal): boolean {
  const { memory, claim } = attempt.work;
  if (wait.reads === null) return true;
  const condition = signalConditionOf(definitionOf(memory, wait));
  if (condition === null) return true;
  const id = `${memory.row.id}:${wait.taskId}:${wait.mapIndex}`;
  const scope = {
    ...(isJsonObject(wait.reads) ? wait.reads : {}),
    payload: signal.payload,
    signal: signal.name,
    [FUNCTION_CONTEXT]: { now: wait.openedAt, uuid: (ordinal: number) => uuidFrom(`${id}#${ordinal}`) },
    [STEP_BUDGET]: new EvaluationBudget(),
  } as Scope;
  try {
    return evaluateCondition(condition, scope);
  } catch (error) {
    worker.executionLog
      .forAttempt({
        executionId: memory.row.id,
        tenantId: memory.row.tenantId,
        taskId: wait.taskId,
        mapIndex: wait.mapIndex < 0 ? null : wait.mapIndex,
        attempt: claim.attempt,
      })
      .warn(`config.when fails on a signal "${signal.name}", which is passed over: ${messageOf(error)}`);
    return false;
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

// Also of a node that this worker cannot run: its parts may be waits.
function definitionOf(
  { compiled }: ExecutionMemory,
  { taskId, mapIndex }: Pick<OpenWait, 'taskId' | 'mapIndex'>,
): NodeDefinition {
  const node = compiled.nodes[compiled.plan.indexOf.get(taskId)!]!;
  if (mapIndex < 0) return node.definition;
  if (node.parts !== null) return node.parts[node.partNames === null ? 0 : mapIndex]!.definition;
  const parts = partsOf(node.definition);
  return parts.kind === 'items' ? parts.task : parts.tasks[mapIndex]!;
}
