// Sends the inputs of a seed, several at once, until the time is over; or one of them alone.
import { setTimeout as delay } from 'node:timers/promises';
import { within } from '../chaos/arena.ts';
import type { Input, Kind, Step } from './inputs/input.ts';
import { inputOf } from './inputs/plan.ts';
import { Journal } from './journal.ts';
import { send } from './send.ts';
import type { FuzzTarget } from './target.ts';

const LANES = 5;
const TOKEN_MS = 3_000;

export class Generator {
  readonly #target: FuzzTarget;
  readonly #seed: number;
  readonly journal = new Journal();

  constructor(target: FuzzTarget, seed: number) {
    this.#target = target;
    this.#seed = seed;
  }

  /** Resolves when the last one is answered. */
  async sendFor(seconds: number, kinds: readonly Kind[]): Promise<void> {
    const endsAt = performance.now() + seconds * 1_000;
    let next = 0;
    const lane = async () => {
      while (performance.now() < endsAt) {
        const n = next++;
        const input = inputOf(this.#seed, n, this.#target.surroundings);
        if (kinds.includes(input.kind)) await this.#perform(n, input);
        // A lane whose kinds never come would hold up all others.
        else if (n % 50 === 0) await delay(0);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  async sendOne(n: number): Promise<Input> {
    const input = inputOf(this.#seed, n, this.#target.surroundings);
    await this.#perform(n, input);
    return input;
  }

  async #perform(n: number, input: Input): Promise<void> {
    const flight = this.journal.begin(n, input);
    this.#target.hostile.forgetToken(n);
    for (const step of input.steps) {
      const wanted = await this.#completed(step, n);
      if (wanted === null) break;
      const reply = await send({ ...this.#target, url: this.#target.slot.url }, wanted);
      this.journal.note(flight, wanted, reply);
      // What was not saved is not run; of several answers to a callback each is sent.
      if (reply.kind !== 'answer' || (reply.status >= 300 && input.kind !== 'callback')) break;
    }
    flight.to = Date.now();
  }

  /** With the token of the callback in its path; null: the hostile server was never called. */
  async #completed(step: Step, n: number): Promise<Step | null> {
    if (!step.path.includes('{token}')) return step;
    await within(TOKEN_MS, () => this.#target.hostile.tokenOf(n) !== null);
    const token = this.#target.hostile.tokenOf(n);
    return token === null ? null : { ...step, path: step.path.replace('{token}', token) };
  }
}
