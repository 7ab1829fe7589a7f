// The recovery budget (CONTRACT P2): how often a task may lose its worker. The functions of the protocol declare the same
// numbers as constants of these names; test/house/recovery-budget.test.ts compares them.

/** So many crashes may cost a task its attempt; the claim that finds one more ends it, and counts as no attempt. */
export const MAX_RECOVERIES = 3;

/** From so many crashes on, a task runs alone in its worker, and its body is entered only when that is written down. */
export const SUSPECT_RECOVERIES = 2;
