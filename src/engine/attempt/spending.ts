// What one attempt has done that counts beyond its result: what it cost, and whether it may be repeated after a timeout.
import { TerminalError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, toStorableJson } from '../../core/json.ts';
import { addUsd, parseUsd, subtractUsd } from '../../core/money.ts';
import type { Redact } from '../../core/redact.ts';

const MAX_USAGE_BYTES = 64_000;

/** Added up exactly; one unknown price makes the whole unknown. */
export class Spending {
  readonly #redact: Redact;
  #usd: string | null | undefined;
  /** What the last checkpoint has recorded of it; undefined: there was none. */
  #keptUsd: string | null | undefined;
  #usage: JsonObject | undefined;
  #mayRepeat = true;
  #keeping: Promise<unknown> = Promise.resolve();

  constructor(redact: Redact) {
    this.#redact = redact;
  }

  add(usd: string | number | null, usage?: JsonObject): void {
    if (usd === null || this.#usd === null) this.#usd = null;
    else this.#usd = this.#usd === undefined ? parseUsd(usd) : addUsd(this.#usd, parseUsd(usd));
    if (usage === undefined || !isJsonObject(usage)) return;
    const stored = toStorableJson(usage, MAX_USAGE_BYTES);
    if (!stored.ok) throw new TerminalError(stored.code, `addCost: its usage ${stored.message}`);
    this.#usage = { ...this.#usage, ...(JSON.parse(this.#redact(stored.json)) as JsonObject) };
  }

  forbidRepeat(): void {
    this.#mayRepeat = false;
  }

  get mayRepeat(): boolean {
    return this.#mayRepeat;
  }

  /**
   * Records what was spent so far with a checkpoint, one after the other. What it records counts as recorded only when it
   * resolves; `write` resolves to false where the attempt is no longer the caller's.
   */
  keep(
    write: (sum: { readonly spentUsd: string | null; readonly usageJson: string | null }) => Promise<boolean>,
  ): Promise<boolean> {
    const kept = this.#keeping.then(async () => {
      const sum = this.#soFar();
      const isOurs = await write(sum);
      if (isOurs) {
        this.#keptUsd = sum.spentUsd;
        // What comes next begins after the checkpoint: what was sent before it is not sent again.
        this.#mayRepeat = true;
      }
      return isOurs;
    });
    this.#keeping = kept.catch(() => {});
    return kept;
  }

  /** Resolves when no checkpoint is under way: until then it is not known what is recorded. */
  recorded(): Promise<unknown> {
    return this.#keeping;
  }

  #soFar(): { readonly spentUsd: string | null; readonly usageJson: string | null } {
    return {
      spentUsd: this.#usd === undefined ? '0' : this.#usd,
      usageJson: this.#usage === undefined ? null : JSON.stringify(this.#usage),
    };
  }

  /** All of it so far; null: unknown. */
  get spentUsd(): string | null {
    return this.#soFar().spentUsd;
  }

  /** What the end of the attempt still has to record. */
  unrecorded(): { costUsd?: string | null; usage?: JsonObject } {
    const isKnown = typeof this.#usd === 'string' && typeof this.#keptUsd === 'string';
    const costUsd = isKnown ? subtractUsd(this.#usd!, this.#keptUsd!) : this.#usd;
    return { costUsd, usage: this.#usage };
  }
}
