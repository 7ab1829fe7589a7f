// All prices that are known, and which one holds for a call: the operator's before the reviewed ones, those before the library's.
//   P1  An operator's price holds for its own model name, for the names that the library takes for the same model, or for
//       all models of a provider (`*`), in this order; the newest that is in effect.
//   P2  Models are tried in order, the reviewed ones (reviewed-prices.ts) before the library's; the first that matches the
//       name counts, as in the library.
//   P3  Of a model's prices the last whose date and hours (UTC) hold counts; where none does, the first.
import { compileMatch, type MatchesName, type ModelMatch, withDashedDate } from './model-match.ts';
import type { ModelPrice } from './price-usage.ts';
import { modelName, providerName } from './provider-name.ts';

export const PRICE_SOURCES = ['library', 'reviewed', 'operator'] as const;
export type PriceSource = (typeof PRICE_SOURCES)[number];

/** One price of one model. */
export interface PriceRow extends ModelPrice {
  readonly source: PriceSource;
  /** As the price list names it: `providerName`. */
  readonly provider: string;
  /** `*`: any model of the provider. */
  readonly model: string;
  /** Order within the library. */
  readonly position: number;
  /** The names it is for; null: the model's own. */
  readonly match: ModelMatch | null;
  readonly effectiveFrom: Date;
  /** Holds from one time of day (UTC, `HH:MM:SS`) until another, each day; null: all day. */
  readonly dailyFrom: string | null;
  readonly dailyUntil: string | null;
  /** Of a reviewed one: where it was read, and when. */
  readonly reference?: string;
}

interface LibraryModel {
  readonly name: string;
  readonly rows: PriceRow[];
  matches: MatchesName | null;
}

/** `effectiveFrom` of a price without a beginning. */
export const ALWAYS = new Date(0);
/** For all models of a provider. */
export const ANY_MODEL = '*';
const MAX_REMEMBERED = 2000;
/** Characters of a model's name; a longer one has no price. */
export const MAX_MODEL_NAME = 300;

export class PriceTable {
  readonly #library = new Map<string, LibraryModel[]>();
  /** By provider and model name, the newest first. */
  readonly #operator = new Map<string, PriceRow[]>();
  /** Library models by provider and name; null: none. */
  readonly #known = new Map<string, LibraryModel | null>();

  constructor(rows: readonly PriceRow[]) {
    for (const source of ['reviewed', 'library'] as const)
      for (const row of [...rows].sort((a, b) => a.position - b.position))
        if (row.source === source) this.#addLibraryRow(row);
    for (const row of [...rows].sort((a, b) => b.effectiveFrom.getTime() - a.effectiveFrom.getTime())) {
      if (row.source !== 'operator') continue;
      const key = keyOf(row.provider, row.model.toLowerCase());
      this.#operator.set(key, [...(this.#operator.get(key) ?? []), row]);
    }
  }

  /** The price of a call at an instant, or null. */
  find(provider: string, model: string, at: Date): PriceRow | null {
    const owner = providerName(provider);
    const name = modelName(provider, model);
    const known = this.#libraryModel(owner, model);
    for (const candidate of [name, known?.name, ANY_MODEL]) {
      if (candidate === undefined) continue;
      const row = this.#operator.get(keyOf(owner, candidate))?.find((one) => one.effectiveFrom <= at);
      if (row !== undefined) return row;
    }
    if (known === null) return null;
    return known.rows.findLast((row) => isInEffect(row, at)) ?? known.rows[0]!;
  }

  /** What the price lists name this model; null: they do not know it. */
  listedName(provider: string, model: string): string | null {
    return this.#libraryModel(providerName(provider), model)?.name ?? null;
  }

  /** Whether the lists have models of the provider that begin with the same word (`gpt`, `claude`). */
  knowsFamily(provider: string, model: string): boolean {
    const [word] = /^[a-z]+/.exec(modelName(provider, model)) ?? [];
    const models = this.#library.get(providerName(provider)) ?? [];
    return word !== undefined && models.some(({ name }) => /^[a-z]+/.exec(name)?.[0] === word);
  }

  /** The price that the operator has set for this very name, or null. */
  findOwn(provider: string, model: string, at: Date): PriceRow | null {
    const rows = this.#operator.get(keyOf(providerName(provider), modelName(provider, model)));
    return rows?.find((one) => one.effectiveFrom <= at) ?? null;
  }

  /** All prices that a model has, had or will have: the operator's, then the library's, by their beginning. */
  history(provider: string, model: string): readonly PriceRow[] {
    const owner = providerName(provider);
    const name = modelName(provider, model);
    const known = this.#libraryModel(owner, model);
    const keys = new Set([name, known?.name ?? name, ANY_MODEL]);
    const own = [...keys].flatMap((key) => (this.#operator.get(keyOf(owner, key)) ?? []).toReversed());
    return [...own, ...(known?.rows ?? [])];
  }

  /** Names of providers that have prices. */
  providers(): readonly string[] {
    const own = [...this.#operator.values()].map(([row]) => row!.provider);
    return [...new Set([...this.#library.keys(), ...own])].sort();
  }

  /** What each model of the list costs at an instant, by provider and model; the library's where the operator has none. */
  current(at: Date): readonly PriceRow[] {
    const own = [...this.#operator.values()].flatMap(
      (rows) => rows.find((row) => row.effectiveFrom <= at) ?? [],
    );
    const reviewed = [...this.#library.values()]
      .flat()
      .flatMap(({ rows }) => (rows[0]!.source === 'reviewed' ? rows : []));
    const library = [...this.#library.values()].flat().flatMap(({ name, rows }) => {
      const [first] = rows;
      const isSame = (row: PriceRow) => row.provider === first!.provider && row.model.toLowerCase() === name;
      const isReplaced = own.some(isSame) || (first!.source === 'library' && reviewed.some(isSame));
      return isReplaced ? [] : [rows.findLast((row) => isInEffect(row, at)) ?? rows[0]!];
    });
    return [...own, ...library].sort(
      (a, b) =>
        a.provider.localeCompare(b.provider) || a.model.localeCompare(b.model) || a.position - b.position,
    );
  }

  #addLibraryRow(row: PriceRow): void {
    const models = this.#library.get(row.provider) ?? [];
    if (models.length === 0) this.#library.set(row.provider, models);
    const last = models.at(-1);
    if (last !== undefined && isSameModel(last.rows[0]!, row)) last.rows.push(row);
    else models.push({ name: row.model.toLowerCase(), rows: [row], matches: null });
  }

  // Names come from definitions and data, without end; what was found for one is remembered for a while.
  #libraryModel(provider: string, model: string): LibraryModel | null {
    if (model.length > MAX_MODEL_NAME) return null;
    const key = keyOf(provider, model);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const models = this.#library.get(provider) ?? [];
    // Some rules name the provider too.
    const names = [model.trim().toLowerCase(), modelName(provider, model)];
    const found = names.reduce<LibraryModel | null>(
      (match, name) => match ?? firstMatch(models, name) ?? firstMatch(models, withDashedDate(name)),
      null,
    );
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }
}

function firstMatch(models: readonly LibraryModel[], name: string): LibraryModel | null {
  return (
    models.find((model) => {
      model.matches ??= compileMatch(model.rows[0]!.match ?? { equals: model.name });
      return model.matches(name);
    }) ?? null
  );
}

const isSameModel = (a: PriceRow, b: PriceRow) =>
  a.source === b.source && a.model === b.model && JSON.stringify(a.match) === JSON.stringify(b.match);

function isInEffect({ effectiveFrom, dailyFrom, dailyUntil }: PriceRow, at: Date): boolean {
  if (at < effectiveFrom) return false;
  if (dailyFrom === null || dailyUntil === null) return true;
  const time = at.toISOString().slice(11, 23);
  return dailyFrom <= dailyUntil
    ? time >= dailyFrom && time < dailyUntil
    : time >= dailyFrom || time < dailyUntil;
}

const keyOf = (provider: string, name: string) => `${provider}\n${name}`;
