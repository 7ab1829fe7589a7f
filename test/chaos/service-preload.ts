// Loaded into a process of the service before anything else, by `node --import`: sets its clock wrong, or ends it when something
// is committed and not yet answered. src/ knows nothing of it.
import pg from 'pg';
import type { ServiceFaults } from './service-faults.ts';
import { Chance } from './statistics.ts';

const faults = JSON.parse(process.env.CHAOS_SERVICE ?? 'null') as (ServiceFaults & { starts: number }) | null;
if (faults?.clockOffsetMs !== undefined) setClockWrong(faults.clockOffsetMs);
if (faults?.diesAfterCommit !== undefined)
  dieAfterCommits(faults.diesAfterCommit, new Chance(faults.seed + faults.starts));

function setClockWrong(offsetMs: number): void {
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...args: unknown[]) {
      if (args.length === 0) super(RealDate.now() + offsetMs);
      else super(...(args as [number]));
    }
    static override now(): number {
      return RealDate.now() + offsetMs;
    }
  } as DateConstructor;
}

/** What callers wait for the commit of. */
const TOLD = /start_executions_v1|start_and_open_v|insert into dagwright\.webhook_events/;

function dieAfterCommits(share: number, chance: Chance): void {
  type Client = pg.Client & { isInTransaction?: boolean; isTelling?: boolean };
  const send = pg.Client.prototype.query as unknown as (...args: unknown[]) => unknown;
  pg.Client.prototype.query = function (this: Client, ...args: unknown[]) {
    const [config] = args;
    const text =
      typeof config === 'string' ? config : ((config as { text?: string } | undefined)?.text ?? '');
    if (/^\s*begin\b/i.test(text)) {
      this.isInTransaction = true;
      this.isTelling = false;
    }
    if (TOLD.test(text)) this.isTelling = true;
    const isCommit = /^\s*commit\b/i.test(text);
    const tells = this.isTelling === true && (isCommit || !this.isInTransaction);
    if (isCommit || /^\s*rollback\s*$/i.test(text)) this.isInTransaction = false;
    if (!tells) return send.apply(this, args);
    this.isTelling = false;
    const dieOrNot = () => {
      if (chance.next() < share) process.kill(process.pid, 'SIGKILL');
    };
    // A pool's own queries pass a callback.
    const callback = args.at(-1);
    if (typeof callback === 'function')
      return send.apply(this, [
        ...args.slice(0, -1),
        (error: unknown, result: unknown) => {
          if (!error) dieOrNot();
          callback(error, result);
        },
      ]);
    return (send.apply(this, args) as Promise<unknown>).then((result) => {
      dieOrNot();
      return result;
    });
  } as never;
}
