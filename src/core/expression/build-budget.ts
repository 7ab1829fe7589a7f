// What compiling the schemas, patterns and templates of one document may cost together. A document is compiled in one synchronous call
// that reaches patterns by many ways (schemas, expressions, filters, rules of task types), so its budget is the one of that
// call; where there is none, each schema has one of its own.

/** A unit is about a microsecond: a document may take about a fifth of a second. */
const BASE = 200_000;
/** Each node of a definition may add so much. */
const PER_NODE = 200;

/** What was stored compiles again, also where a cache spared the validation a part of it, or an earlier release weighed it less. */
const STORED = 8;
const STORED_WEBHOOK = 2;

/** How many different calls with constants one document has tried (constant-check.ts). */
const MAX_CONSTANT_CALLS = 500;

/** What trying them has found, by the call; null: nothing. */
class ConstantCalls extends Map<string, string | null> {
  get isFull(): boolean {
    return this.size >= MAX_CONSTANT_CALLS;
  }
}

export class BuildBudget {
  /** Null: constants are not looked at, as in what was stored. */
  readonly constantCalls: ConstantCalls | null;
  readonly #given: number;
  readonly #ofSchema: number;
  #left: number;
  #hasRefused = false;
  #templates = 0;
  readonly #paid = new Set<string>();

  constructor(units: number = BASE, { triesConstants = true, ofSchema = BASE } = {}) {
    this.constantCalls = triesConstants ? new ConstantCalls() : null;
    this.#given = units;
    this.#ofSchema = ofSchema;
    this.#left = units;
  }

  /** For a definition of so many nodes. */
  static ofDocument(nodes: number): BuildBudget {
    return new BuildBudget(BASE + nodes * PER_NODE);
  }

  /** For one that was valid when it was stored. */
  static ofStored(nodes: number): BuildBudget {
    const units = STORED * (BASE + nodes * PER_NODE);
    return new BuildBudget(units, { triesConstants: false, ofSchema: units });
  }

  /** For a webhook, whose settings are no definition. */
  static ofWebhook(): BuildBudget {
    return new BuildBudget(BASE, { triesConstants: false });
  }

  /** For a part of its settings when deliveries come, or of an event trigger: strangers ask for it. */
  static ofDelivery(): BuildBudget {
    return new BuildBudget(STORED_WEBHOOK * BASE, { triesConstants: false });
  }

  /** Whether something was refused because it costs more than was left. */
  get hasRefused(): boolean {
    return this.#hasRefused;
  }

  get spent(): number {
    return this.#given - this.#left;
  }

  get left(): number {
    return this.#left;
  }

  /** False once the budget is used up. */
  spend(weight: number): boolean {
    this.#left -= weight;
    return this.#isWithin();
  }

  /** As {@link spend}, for all of one schema, which is compiled in one piece: it may not take what a document has for its nodes. */
  spendOnSchema(weight: number): boolean {
    return this.canSpendOnSchema(weight) && this.spend(weight);
  }

  /** As {@link canSpend}, for one schema. */
  canSpendOnSchema(weight: number): boolean {
    if (weight > this.#ofSchema) this.#hasRefused = true;
    return weight <= this.#ofSchema && this.canSpend(weight);
  }

  /** False, and a refusal, where so much is more than is left: nothing is spent. */
  canSpend(weight: number): boolean {
    if (weight > this.#left) this.#hasRefused = true;
    return weight <= this.#left;
  }

  /** What of it went into texts with templates. */
  get spentOnTemplates(): number {
    return this.#templates;
  }

  /** A text with templates, each place of it and what it is, as {@link spendOnce}. */
  spendOnTemplate(text: string, weight: { readonly ofPlace: number; readonly ofText: number }): boolean {
    const before = this.#left;
    const isWithin = this.spend(weight.ofPlace) && this.spendOnce(text, weight.ofText);
    this.#templates += before - this.#left;
    return isWithin;
  }

  /** What stands in the document several times costs once. */
  spendOnce(text: string, weight: number): boolean {
    if (this.#paid.has(text)) return this.#isWithin();
    this.#paid.add(text);
    return this.spend(weight);
  }

  #isWithin(): boolean {
    if (this.#left < 0) this.#hasRefused = true;
    return this.#left >= 0;
  }
}

let current: BuildBudget | null = null;

/** The budget of the document that is being compiled, if one is. */
export function currentBuildBudget(): BuildBudget | null {
  return current;
}

/** Compiles within this budget. */
export function withBuildBudget<T>(budget: BuildBudget, compile: () => T): T {
  const outer = current;
  current = budget;
  try {
    return compile();
  } finally {
    current = outer;
  }
}
