// The keys of the JSON that goes to the functions which open and settle (functions/protocol/open.sql, and functions/settle: settle and its chapters,
// settle-completed, settle-one), each with what it means, declared once: the writers are typed by these tables, and
// test/house/settle-keys.test.ts compares them with what the functions read. Two releases run side by side: a key never
// gets another meaning.

/** One argument of settle_v2. */
export const BATCH_KEYS = {
  w: 'the worker',
  slots: 'tasks that all live workers may run at once',
  x: 'executions, each with its settles (EXECUTION_KEYS)',
} as const;

/** One execution of a settle_v2. */
export const EXECUTION_KEYS = {
  e: 'the execution',
  s: 'its settles (SETTLE_KEYS)',
  d: 'edges out of ended tasks to open ones (EDGE_KEYS)',
  z: 'further ends that are already determined (FURTHER_END_KEYS)',
  wd: 'tasks whose wait winds down: they are woken',
  lanes: 'ordinals of the settles whose lanes want to go on',
  extra: 'pure tasks that may be claimed beyond the lanes',
  fin: 'what the execution ends with if these settles end it and nothing failed (FINISH_KEYS)',
  failing: 'the failure policy acts from here on',
} as const;

/** The end of an attempt, as settle_v2 reads it. */
export const SETTLE_KEYS = {
  i: 'its ordinal in the batch',
  t: 'the task',
  m: 'its map index; -1: the task itself',
  f: 'the fence of the claim',
  to: 'what the row becomes: a status, or released',
  r: 'why it was skipped',
  st: 'stays open after an uncaught failure',
  b: 'the branch that was chosen',
  wn: 'the winner',
  inp: 'the input',
  out: 'the output',
  err: 'the error',
  cost: 'what it cost beyond the last checkpoint, US dollars',
  unk: 'the cost is unknown',
  dur: 'milliseconds that it took',
  use: 'its usage',
  wake: 'milliseconds until it is woken',
  wo: 'what it waits on',
  rv: 'the review that is opened (core/review.ts)',
  att: 'a row of task_attempts keeps it',
  pure: 'the task is pure; of a fan-out: all its parts are',
  ty: 'types of named branches',
  next: "head of the lane's list: [[task, map index], …]",
  fo: 'the fan-out that opens (FAN_OUT_KEYS)',
  errs: 'errors of failed parts',
  opt: 'an optional part: its failure is none',
  end: 'ends the execution (TERMINATE_KEYS)',
  lst: 'the last round of a loop',
  gap: 'milliseconds until the next round of a loop begins',
} as const;

/** The end of an attempt, as settle_completed_v2 reads it. */
export const COMPLETED_KEYS = {
  i: 'its ordinal in the batch',
  x: 'place of its execution in the list of ids, from 1',
  t: 'the task',
  f: 'the fence of the claim',
  b: 'the branch that was chosen',
  wn: 'the winner',
  inp: 'the input',
  out: 'the output',
  errs: 'errors of failed parts',
  cost: 'what it cost beyond the last checkpoint, US dollars',
  unk: 'the cost is unknown',
  dur: 'milliseconds that it took',
  use: 'its usage',
  nt: "the task at the head of the lane's list",
  nm: 'its map index',
  fin: 'as in EXECUTION_KEYS (FINISH_KEYS)',
  o: 'a pure successor of the settle with the same ordinal: its place behind it, from 1; stands after all settles',
} as const;

/** An edge of settle_v2. */
export const EDGE_KEYS = {
  i: 'ordinal of the settle that it follows from',
  t: 'the child',
  k: 'its outcome: 1 success, 2 failed, 3 skipped',
  pure: 'the child is pure',
} as const;

/** An edge of settle_completed_v2: all are successes. */
export const COMPLETED_EDGE_KEYS = {
  i: 'ordinal of the settle that it follows from',
  x: 'place of its execution in the list of ids, from 1',
  t: 'the child',
  pure: 'the child is pure',
} as const;

/** An end that follows from others. */
export const FURTHER_END_KEYS = {
  t: 'the task',
  to: 'its status',
  r: 'why it was skipped',
  items: 'it is an open fan-out',
  run: 'items of it that run are cancelled',
} as const;

/** A fan-out that opens. */
export const FAN_OUT_KEYS = {
  total: 'parts in all',
  conc: 'parts at once',
  tol: 'failures that it bears',
  need: 'successes at which it completes',
  types: 'types of its parts: one for all, or one each',
  items: 'kept as it is in the row: { types, values, rounds }',
  rounds: 'within items: its parts are the rounds of a loop',
} as const;

/** What an execution ends with. */
export const FINISH_KEYS = { out: 'its output' } as const;

/** The end that a `terminate` makes. */
export const TERMINATE_KEYS = {
  status: "the execution's status",
  out: 'its output',
  err: 'its error',
} as const;

/** One execution of an open_v3. */
export const OPENING_KEYS = {
  e: 'the execution',
  k: 'the place of its plan among those that are sent with it',
  row: 'the answer tells what it is',
} as const;

/** How the executions of a revision are opened. */
export const OPENING_PLAN_KEYS = {
  deadline: 'seconds until it times out; null: never',
  n: 'number of its rows',
  ready: 'some rows are ready and not claimed: they get jobs',
  rows: 'its rows (ROW_KEYS)',
} as const;

/** A task's row as it is opened. */
export const ROW_KEYS = {
  t: 'the task',
  ty: 'its type',
  p: 'edges into it, all open',
  ea: 'starts early: 1 on a success, 2 on a failure, 3 on either',
  st: 'stays open after an uncaught failure',
  c: '1: claimed for the opener; 2: ready',
} as const;
