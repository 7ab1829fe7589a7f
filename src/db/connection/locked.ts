// The answer of a call that needs a row which somebody else has locked: it did not wait, and changed nothing.
export const LOCKED = Symbol('locked');
export type Locked = typeof LOCKED;
