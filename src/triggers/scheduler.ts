// What a process of role `scheduler` does: runs its passes (schedules, events, …) about once a second, each in a loop of its
// own, and beats in `schedulers`. It holds no state that matters: every pass reads what is due from the database, by the
// database's clock, and any number of processes may run the same passes.
//   S1  An error ends a pass, never its loop; an outage is reported once, by the beat, and the loop tries on.
//   S2  A slow pass delays no other; one that did something runs again at once, so that a backlog is worked off in bounded steps.

import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { newId } from '../core/id.ts';
import type { TaskLog } from '../core/log-lines.ts';
import { abortableDelay } from '../db/connection/abortable-delay.ts';
import { type Database, isConnectionLoss } from '../db/connection/connection.ts';
import { Outage } from '../db/connection/outage.ts';
import { beatScheduler, removeScheduler } from '../db/triggers/schedulers.ts';
import { createSchedulePass } from './schedules/pass.ts';

export interface Pass {
  readonly name: string;
  /** One bounded step; how much it did. 0: nothing is due, look again in a second. */
  run(): Promise<number>;
}

export interface SchedulerOptions {
  readonly database: Database;
  readonly log: TaskLog;
  /** Besides the schedules' own pass. */
  readonly passes?: readonly Pass[];
  /** Between two passes that found nothing, with jitter. Default 1000. */
  readonly everyMs?: number;
}

const BEAT_MS = 3_000;
/** A pass may take several statements, each of 23 s at most; one that takes longer than all of them hangs. */
const HANGS_MS = 90_000;

export class Scheduler {
  readonly id = newId();
  /** `passed`: a pass of this name has ended and did so much. */
  readonly events = new EventEmitter<{ passed: [name: string, done: number] }>();
  readonly #options: SchedulerOptions;
  readonly #passes: readonly Pass[];
  readonly #beat: Pass;
  readonly #outage: Outage;
  readonly #stop = new AbortController();
  /** When each loop last began a pass, by `performance.now()`. */
  readonly #begunAtMs = new Map<string, number>();
  #loops: readonly Promise<void>[] = [];
  #done = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    const { database, log, passes = [] } = options;
    this.#beat = {
      name: 'beat',
      run: () =>
        beatScheduler(database.engine, {
          id: this.id,
          host: hostname(),
          pid: process.pid,
          fired: this.#done,
        }),
    };
    this.#passes = [this.#beat, createSchedulePass({ database, log }), ...passes];
    this.#outage = new Outage(log, 'this scheduler');
  }

  /** Begins the passes; does not wait for the database. */
  start(): void {
    this.#loops = this.#passes.map((pass) => this.#runLoop(pass));
  }

  /** Resolves when the passes under way have ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
    if (this.#loops.length > 0)
      await removeScheduler(this.#options.database.engine, this.id).catch((error: unknown) =>
        this.#options.log.debug('the scheduler could not take its row away', { error: String(error) }),
      );
    this.#loops = [];
  }

  /** Whether every loop goes on; also true while the database is away, since they try. */
  isProgressing(): boolean {
    const now = performance.now();
    return this.#loops.length > 0 && [...this.#begunAtMs.values()].every((begun) => now - begun < HANGS_MS);
  }

  async #runLoop(pass: Pass): Promise<void> {
    const { signal } = this.#stop;
    const everyMs = pass.name === 'beat' ? BEAT_MS : (this.#options.everyMs ?? 1_000);
    while (!signal.aborted) {
      this.#begunAtMs.set(pass.name, performance.now());
      const done = await this.#runPass(pass);
      // Processes that start together do not look together.
      const waitMs = everyMs * (0.7 + 0.6 * Math.random());
      if (done === 0) await abortableDelay(waitMs, signal).catch(() => {});
    }
  }

  async #runPass(pass: Pass): Promise<number> {
    const { log } = this.#options;
    try {
      const done = await pass.run();
      // Only the beat asks the database each time; a pass that is not due yet ends well without it.
      if (pass === this.#beat) this.#outage.end();
      this.#done += done;
      this.events.emit('passed', pass.name, done);
      return done;
    } catch (error) {
      if (pass === this.#beat && isConnectionLoss(error)) this.#outage.note(String(error));
      else if (isConnectionLoss(error))
        log.debug('a pass of the scheduler could not reach the database', { pass: pass.name });
      else
        log.error('a pass of the scheduler failed; it is tried again', {
          pass: pass.name,
          error: String(error),
        });
      return 0;
    }
  }
}
