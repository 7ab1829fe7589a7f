// The event loop of this process, which all of its tenants share. It does each piece of work that is made of what a tenant
// sent: a body is parsed, an expression evaluated, an answer read.
import { FairTurns } from '../core/fair-turns.ts';

/** `await eventLoop.run(tenantId, () => …)`; what is done is synchronous, or begins with what is. */
export const eventLoop = new FairTurns({
  nowMs: () => performance.now(),
  atNextTurn: (callback) => void setImmediate(callback),
});
