// What a worker does with a job that it was given: it runs it in a slot, leaves it to other workers, or puts it off.
//   I1  Whatever becomes of it, what the job named stands in the queue again before its own job ends, or is done.
//   I2  While a job that was left to others has no slot here, no other job is fetched in its place: its handler does not end.
//   I3  A lane that is stuck keeps no slot, and its job is put off; so is a job whose lane would be stuck, or whose tenant has too many
//       that are (stuck-lanes.ts).

import { setTimeout as delay } from 'node:timers/promises';
import type { WorkerContext } from '../context.ts';
import { giveBack, type JobPayload, putOff, runJob } from './job.ts';
import type { LanesUnderWay } from './lanes-under-way.ts';
import type { Membership } from './membership.ts';
import type { Slots } from './slots.ts';
import type { StuckLanes } from './stuck-lanes.ts';
import type { TenantsAtWork } from './tenants-at-work.ts';

/** A job waits so long for a slot before it is left to other workers. */
const SLOT_PATIENCE_MS = 200;

export interface IntakeOptions {
  readonly worker: WorkerContext;
  readonly membership: Pick<Membership, 'hasNeighbours'>;
  readonly slots: Slots;
  readonly lanes: LanesUnderWay;
  readonly stuck: StuckLanes;
  readonly atWork: TenantsAtWork;
  /** How long a job was due before it was taken, in milliseconds. */
  readonly onTaken: (queuedMs: number) => void;
}

export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Works a job of the queue off. */
  async handle(payload: JobPayload, addedAtMs: number): Promise<void> {
    const { worker, membership, slots } = this.#options;
    if (this.#mustWait(payload)) return await putOff(worker, payload);
    if (membership.hasNeighbours && worker.suspectGate.isHolding) return await this.#leaveForSuspect(payload);
    if (!(await this.#takeSlot())) return await this.#leaveToOthers(payload);
    await this.#run(payload, addedAtMs, () => slots.release());
  }

  /** Works a job off for which there is room beyond the slots. */
  async handleReserved(payload: JobPayload, addedAtMs: number): Promise<void> {
    if (this.#mustWait(payload)) return await putOff(this.#options.worker, payload);
    await this.#run(payload, addedAtMs, () => {});
  }

  // I3.
  #mustWait({ e, o = '' }: JobPayload): boolean {
    const { worker, stuck } = this.#options;
    return worker.locked.isStuck(e) || stuck.holdsBack(o);
  }

  async #run(payload: JobPayload, addedAtMs: number, release: () => void): Promise<void> {
    const { worker, lanes, stuck, atWork, onTaken } = this.#options;
    onTaken(Math.max(0, worker.nowMs() - addedAtMs));
    const { e: executionId, o: tenantId = '' } = payload;
    const lane = atWork.during(tenantId, runJob(worker, payload));
    if ((await stuck.untilEnded({ executionId, tenantId }, lane).finally(release)) === 'ended') return;
    void lanes.track(lane);
    await putOff(worker, payload);
  }

  // As long as a suspect holds others back here, no other job is fetched in its place.
  async #leaveForSuspect(payload: JobPayload): Promise<void> {
    const { worker } = this.#options;
    await giveBack(worker, payload);
    while (!worker.draining && worker.suspectGate.isHolding) await delay(SLOT_PATIENCE_MS);
  }

  // What this process started may have all slots. Where other workers are, one of them may have one.
  async #takeSlot(): Promise<boolean> {
    const { worker, membership, slots } = this.#options;
    while (!(await slots.take(SLOT_PATIENCE_MS)))
      if (worker.draining || membership.hasNeighbours) return false;
    return true;
  }

  // I2.
  async #leaveToOthers(payload: JobPayload): Promise<void> {
    const { worker, slots } = this.#options;
    await giveBack(worker, payload);
    while (!worker.draining) if (await slots.take(SLOT_PATIENCE_MS)) return slots.release();
  }
}
