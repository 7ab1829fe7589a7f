// The lines that tasks log, and what the engine has to say about an execution: handed on to the process's log with the ids
// of their attempt, and kept in execution_logs. Lines are gathered in memory and written in batches behind the engine's back.
//   E1  Nothing here waits for the database but `close`, and nothing throws: a task is never held up or failed by its log.
//   E2  Memory is bounded: when lines come faster than they can be written, the oldest go, and are counted.
//   E3  A line is storable and holds no secret before it is kept, and its size is bounded.
//   E4  A batch that may have been written is sent again under the same ids, and is not stored twice.
import { setTimeout as delay } from 'node:timers/promises';
import { createIdSequence, timeOfId } from '../../core/id.ts';
import type { JsonObject } from '../../core/json.ts';
import type { LogLineLevel, TaskLog } from '../../core/log-lines.ts';
import type { Redact } from '../../core/redact.ts';
import { isConnectionLoss, isRetryable, type Queryable } from '../../db/connection/connection.ts';
import { type LogLine, writeLogLines } from '../../db/executions/execution-logs.ts';
import { type LogSubject, type LogText, logText } from './log-text.ts';

/** So long lines are gathered, in milliseconds. */
const GATHER_MS = 250;
const MAX_BATCH_LINES = 500;
const MAX_BATCH_BYTES = 1_000_000;
const MAX_WAITING_LINES = 10_000;
const MAX_WAITING_BYTES = 4_000_000;
/** Lines kept of one attempt; the process's log has them all. */
const MAX_ATTEMPT_LINES = 1_000;
const FURTHER_LINES: LogText = {
  message: `further lines of this attempt are not kept: it has logged ${MAX_ATTEMPT_LINES}`,
  fields: null,
};
const RETRY_MS = 1_000;
/** At the end, lines wait so long for a database that does not answer. */
const CLOSE_MS = 3_000;

export interface ExecutionLogOptions {
  readonly db: Queryable;
  /** The process's log, which gets every line too, with the ids of its subject. */
  readonly log: TaskLog;
  readonly redact: Redact;
  /** Whether debug lines go anywhere; info and above always do. */
  readonly withDebug?: boolean;
  /** Added to each line in the process's log. */
  readonly workerId?: () => string;
  /** The database's clock, in milliseconds since the epoch, so that lines of several workers are in order. */
  readonly nowMs?: () => number;
}

interface Waiting extends LogLine {
  readonly bytes: number;
}

export class ExecutionLog {
  readonly #options: ExecutionLogOptions;
  readonly #nextId = createIdSequence();
  #waiting: Waiting[] = [];
  #bytes = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #retryMs = 0;
  #isClosed = false;

  constructor(options: ExecutionLogOptions) {
    this.#options = options;
  }

  /** The log of one attempt: what its task type calls. */
  forAttempt(attempt: Required<LogSubject> & { readonly tenantId: string }): TaskLog {
    let lines = 0;
    const write = (level: LogLineLevel) => (message: string, fields?: JsonObject) => {
      if (!this.#isWanted(level)) return;
      const text = this.#tell(attempt, level, message, fields);
      if (++lines <= MAX_ATTEMPT_LINES) this.#keep(attempt, level, text);
      else if (lines === MAX_ATTEMPT_LINES + 1) this.#keep(attempt, 'warn', FURTHER_LINES);
    };
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }

  /** A line of the engine's about an execution; kept only. */
  note(subject: LogSubject, level: LogLineLevel, message: string, fields?: JsonObject): void {
    if (this.#isWanted(level)) this.#keep(subject, level, logText(message, fields, this.#options.redact));
  }

  /** Writes what is waiting; gives up, with a warning, where the database does not answer in time. */
  async close(withinMs = CLOSE_MS): Promise<void> {
    this.#isClosed = true;
    const late = new AbortController();
    const drained = (async () => {
      while (this.#waiting.length > 0 && !late.signal.aborted) {
        await this.#flush();
        if (this.#retryMs > 0) await delay(50);
      }
      await this.#writing;
    })();
    await Promise.race([drained, delay(withinMs, undefined, { signal: late.signal }).catch(() => {})]);
    late.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    const lost = this.#waiting.length;
    if (lost > 0) this.#options.log.warn('log lines of executions could not be stored', { lines: lost });
  }

  #isWanted(level: LogLineLevel): boolean {
    return level !== 'debug' || this.#options.withDebug === true;
  }

  // Hands the line to the process's log; returns what is kept of it.
  #tell(subject: LogSubject, level: LogLineLevel, message: string, fields?: JsonObject): LogText {
    const text = logText(message, fields, this.#options.redact);
    const ids = { ...subject, mapIndex: subject.mapIndex ?? undefined, workerId: this.#options.workerId?.() };
    try {
      // In front, and not to be replaced by what the task calls the same.
      this.#options.log[level](text.message, { ...ids, ...text.fields, ...ids } as unknown as JsonObject);
    } catch {
      // E1; a log that cannot be written has no other place to say so.
    }
    return text;
  }

  #keep(subject: LogSubject, level: LogLineLevel, { message, fields }: LogText): void {
    const id = this.#nextId(this.#options.nowMs?.() ?? Date.now());
    const fieldsJson = fields === null ? null : JSON.stringify(fields);
    const bytes = 200 + 2 * (message.length + (fieldsJson?.length ?? 0));
    this.#waiting.push({
      id,
      executionId: subject.executionId,
      taskId: subject.taskId ?? null,
      mapIndex: subject.mapIndex ?? null,
      attempt: subject.attempt ?? null,
      at: new Date(timeOfId(id)).toISOString(),
      level,
      message,
      fieldsJson,
      bytes,
    });
    this.#bytes += bytes;
    this.#dropOldest();
    this.#schedule();
  }

  #dropOldest(): void {
    let drop = 0;
    let bytes = this.#bytes;
    while (
      this.#waiting.length - drop > MAX_WAITING_LINES ||
      (bytes > MAX_WAITING_BYTES && drop < this.#waiting.length)
    )
      bytes -= this.#waiting[drop++]!.bytes;
    if (drop === 0) return;
    this.#waiting.splice(0, drop);
    this.#bytes = bytes;
    this.#dropped += drop;
  }

  #schedule(): void {
    if (this.#timer !== null || this.#writing !== null || this.#isClosed) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        void this.#flush();
      },
      Math.max(GATHER_MS, this.#retryMs),
    );
    this.#timer.unref();
  }

  // One batch after the other until nothing waits, or the database does not answer.
  #flush(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
      if (this.#waiting.length > 0) this.#schedule();
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    this.#warnOfDropped();
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      try {
        await this.#write(batch);
        this.#retryMs = 0;
      } catch {
        this.#retryMs = RETRY_MS;
        this.#waiting.unshift(...batch);
        for (const { bytes } of batch) this.#bytes += bytes;
        this.#dropOldest();
        return;
      }
    }
    this.#warnOfDropped();
  }

  #warnOfDropped(): void {
    if (this.#dropped === 0) return;
    this.#options.log.warn(
      'log lines of executions were dropped: they came faster than they could be stored',
      {
        lines: this.#dropped,
      },
    );
    this.#dropped = 0;
  }

  #takeBatch(): Waiting[] {
    let lines = 0;
    let bytes = 0;
    for (const line of this.#waiting) {
      if (lines >= MAX_BATCH_LINES || (lines > 0 && bytes + line.bytes > MAX_BATCH_BYTES)) break;
      lines++;
      bytes += line.bytes;
    }
    this.#bytes -= bytes;
    return this.#waiting.splice(0, lines);
  }

  // Rejects where it should be tried again. A line that the database refuses is found by halving, and left out.
  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      await writeLogLines(this.#options.db, batch);
    } catch (error) {
      if (isConnectionLoss(error) || isRetryable(error)) throw error;
      if (batch.length === 1) {
        const { executionId, taskId } = batch[0]!;
        this.#options.log.warn('a log line could not be stored', {
          executionId,
          taskId,
          error: String(error),
        });
        return;
      }
      const half = batch.length >> 1;
      await this.#write(batch.slice(0, half));
      await this.#write(batch.slice(half));
    }
  }
}
