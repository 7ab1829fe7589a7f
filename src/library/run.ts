// One execution, as whoever started it holds it.
import type { Json } from '../core/json.ts';
import type { ExecutionStatus } from '../core/status.ts';
import { ExecutionFailed } from './execution-failed.ts';
import type { EventsOptions, WaitOptions } from './options.ts';
import type { Execution, ExecutionEvent, ExecutionWithTasks } from './views.ts';

/** The calls of `Dagwright` that a run is a shorthand for. */
export interface ExecutionCalls {
  wait(id: string, options?: WaitOptions): Promise<Execution>;
  get(id: string): Promise<ExecutionWithTasks | null>;
  cancel(id: string, reason?: string): Promise<ExecutionStatus>;
  events(id: string, options?: EventsOptions): AsyncGenerator<ExecutionEvent, void, void>;
}

export class Run<Output = Json> {
  readonly id: string;
  /** An earlier start with this idempotency key had begun it; null: in a transaction of the caller nobody says. */
  readonly existing: boolean | null;
  readonly #calls: ExecutionCalls;

  constructor(calls: ExecutionCalls, id: string, existing: boolean | null) {
    this.#calls = calls;
    this.id = id;
    this.existing = existing;
  }

  /** Its output when it has completed; throws an ExecutionFailed where it ended otherwise. */
  async result(options?: WaitOptions): Promise<Output> {
    const execution = await this.wait(options);
    if (execution.status !== 'completed') throw new ExecutionFailed(execution);
    return execution.output as Output;
  }

  /** The execution when it has ended, however that was. */
  wait(options?: WaitOptions): Promise<Execution> {
    return this.#calls.wait(this.id, options);
  }

  get(): Promise<ExecutionWithTasks | null> {
    return this.#calls.get(this.id);
  }

  cancel(reason?: string): Promise<ExecutionStatus> {
    return this.#calls.cancel(this.id, reason);
  }

  events(options?: EventsOptions): AsyncGenerator<ExecutionEvent, void, void> {
    return this.#calls.events(this.id, options);
  }
}
