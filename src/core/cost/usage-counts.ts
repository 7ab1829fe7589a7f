// The counts of one usage block, by name, with everything that is wrong with them.
//   U2  What is not a whole number of 0 or more, is missing, or contradicts itself is a problem, never a guess.
import type { Problem } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';

/** Reads counts of one block and collects what is wrong with them. */
export class UsageCounts {
  readonly problems: Problem[] = [];
  readonly #block: JsonObject;

  constructor(block: JsonObject) {
    this.#block = block;
  }

  /** Undefined where it is absent or null. */
  find(...path: readonly string[]): number | undefined {
    let value: Json | undefined = this.#block;
    for (const name of path) {
      if (!isJsonObject(value)) return undefined;
      value = Object.hasOwn(value, name) ? value[name] : undefined;
    }
    return this.#whole(value, `/${path.join('/')}`);
  }

  /** Whether the block has anything but null under this name. */
  has(name: string): boolean {
    return (Object.hasOwn(this.#block, name) ? (this.#block[name] ?? null) : null) !== null;
  }

  /** The sum of those that are there; undefined where none is. */
  sum(...names: readonly string[]): number | undefined {
    const found = names.flatMap((name) => this.find(name) ?? []);
    return found.length === 0 ? undefined : found.reduce((a, b) => a + b);
  }

  /** The sum of all counts of an object whose name is not in `known`; undefined without any. */
  othersOf(name: string, known: readonly string[]): number | undefined {
    const object = Object.hasOwn(this.#block, name) ? this.#block[name] : undefined;
    if (!isJsonObject(object)) return undefined;
    const others = Object.keys(object).filter((key) => /_tokens$/.test(key) && !known.includes(key));
    const found = others.flatMap((key) => this.find(name, key) ?? []);
    return found.length === 0 ? undefined : found.reduce((a, b) => a + b);
  }

  /** 0 where it is absent. */
  get(...path: readonly string[]): number {
    return this.find(...path) ?? 0;
  }

  need(name: string): number {
    const count = this.find(name);
    if (count === undefined) this.miss(name);
    return count ?? 0;
  }

  miss(name: string): void {
    if (!this.problems.some(({ pointer }) => pointer === `/${name}`))
      this.problems.push(usageProblem(`/${name}`, `${name} is missing from this usage block`));
  }

  /** Of a list `[{ modality, tokenCount }]`; undefined without the list. */
  ofModality(list: string, names: readonly string[]): number | undefined {
    const entries = Object.hasOwn(this.#block, list) ? this.#block[list] : undefined;
    if (!Array.isArray(entries)) return undefined;
    let sum = 0;
    (entries as readonly Json[]).forEach((entry, i) => {
      if (isJsonObject(entry) && names.includes(String(entry.modality)))
        sum += this.#whole(entry.tokenCount, `/${list}/${i}/tokenCount`) ?? 0;
    });
    return sum;
  }

  #whole(value: Json | undefined, pointer: string): number | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    this.problems.push(
      usageProblem(
        pointer,
        `a token count is a whole number of 0 or more, got ${JSON.stringify(value).slice(0, 40)}`,
      ),
    );
    return undefined;
  }
}

export const usageProblem = (pointer: string, message: string): Problem => ({
  pointer,
  code: 'validation',
  message,
});
