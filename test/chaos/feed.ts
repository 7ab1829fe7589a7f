// Starts executions as other services do: `dagwright.start_workflow` in their own transaction. Keeps a journal outside the
// database of what was acknowledged (the commit answered); what was not is sent again under its idempotency key. Cancels a few.
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../src/db/connection/connection.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import type { Chance } from './statistics.ts';
import { WORKFLOWS, type Workflow } from './workload.ts';

export interface Started {
  readonly workflow: Workflow;
  readonly n: number;
  /** The execution, once a commit was acknowledged. */
  id: string | null;
  ackedAt: number;
  /** Calls that were not answered before the one that was. */
  unanswered: number;
  /** A cancel was sent; the status that the acknowledged one returned. */
  cancel: string | null | undefined;
  cancelledAt: number;
}

const MAX_OPEN = 80;
/** More in a row is no outage any more, but a mistake of the run. */
const MAX_UNANSWERED = 2_000;
const CANCELLED_SHARE = 0.04;

export class Feed {
  readonly #database: Database;
  readonly #chance: Chance;
  readonly #under = new Set<Promise<void>>();
  readonly journal: Started[] = [];
  #isStopped = false;
  #isAbandoned = false;
  #isFull = false;

  constructor(database: Database, chance: Chance) {
    this.#database = database;
    this.#chance = chance;
  }

  /** So many starts a second until `stop`, fewer while too much is open. */
  begin(perSecond: number, workflows: readonly Workflow[] = WORKFLOWS): void {
    this.#track(this.#loop(perSecond, workflows));
    this.#track(this.#watch());
  }

  /** Resolves when everything that was begun has been acknowledged. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    while (this.#under.size > 0) await Promise.all(this.#under);
  }

  /** Gives up: what is not acknowledged stays so. */
  abandon(): void {
    this.#isStopped = this.#isAbandoned = true;
  }

  /** Starts one, and resolves when it is acknowledged. */
  async start(workflow: Workflow): Promise<Started> {
    const n = this.journal.length;
    const started: Started = {
      ...{ workflow, n, id: null, ackedAt: 0, unanswered: 0, cancel: undefined, cancelledAt: 0 },
    };
    this.journal.push(started);
    started.id = await this.#untilAcked(started, 'select dagwright.start_workflow($1, $2, $3) as answer', [
      workflow.id,
      JSON.stringify({ n }),
      `start-${n}`,
    ]);
    started.ackedAt = Date.now();
    return started;
  }

  async #loop(perSecond: number, workflows: readonly Workflow[]): Promise<void> {
    while (!this.#isStopped) {
      if (!this.#isFull && this.#under.size < MAX_OPEN)
        this.#track(this.#startOne(this.#chance.pick(workflows)));
      await delay((1000 / perSecond) * this.#chance.between(0.5, 1.5));
    }
  }

  async #startOne(workflow: Workflow): Promise<void> {
    const isCancelled = this.#chance.next() < CANCELLED_SHARE;
    const patienceMs = this.#chance.between(0, 600);
    const started = await this.start(workflow);
    if (!isCancelled) return;
    await delay(patienceMs);
    started.cancel = null;
    started.cancel = await this.#untilAcked(started, 'select dagwright.cancel_execution($1) as answer', [
      started.id,
    ]);
    started.cancelledAt = Date.now();
  }

  async #untilAcked(started: Started, sql: string, values: unknown[]): Promise<string> {
    for (;;) {
      try {
        return await this.#database.withTenant(
          DEFAULT_TENANT_ID,
          async (client) => (await client.query<{ answer: string }>(sql, values)).rows[0]!.answer,
        );
      } catch (error) {
        if (this.#isAbandoned) return '';
        if (started.unanswered++ > MAX_UNANSWERED) throw error;
        await delay(50);
      }
    }
  }

  // More than the workers can do at the moment would only measure how long a queue is.
  async #watch(): Promise<void> {
    while (!this.#isStopped) {
      const open = await this.#database.engine
        .query(
          `select count(*)::int as n from dagwright.workflow_executions where status in ('pending', 'running')`,
        )
        .then(({ rows }) => rows[0].n as number)
        .catch(() => 0);
      this.#isFull = open > MAX_OPEN;
      await delay(300);
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#under.delete(tracked));
    this.#under.add(tracked);
  }
}
