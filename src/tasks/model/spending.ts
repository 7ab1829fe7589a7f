// What one attempt has spent on model calls: hands each call's exact cost to the engine once, with the usage of all calls
// of the attempt so far.
import type { TokenUsage } from '../../core/cost/usage.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { addUsd, type Usd } from '../../core/money.ts';
import type { TaskContext } from '../task-type.ts';
import type { Answered } from './model-call.ts';
import type { ModelAccess } from './provider-access.ts';

/** Calls that are listed one by one; the totals count all. */
const MAX_LISTED_CALLS = 50;
/** Of each call of a tool. */
const MAX_TOLD_FIELDS = 12;
const MAX_TOLD_CHARS = 60;

export const NO_TOKENS: TokenUsage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};

/** Without the parts that only pricing knows. */
export function addTokens(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  };
}

type Call = JsonObject & { readonly costUsd: Usd | null };

function tokensOf(call: Call): TokenUsage {
  const count = (name: keyof TokenUsage): number => {
    const tokens = call[name];
    return typeof tokens === 'number' ? tokens : 0;
  };
  return {
    inputTokens: count('inputTokens'),
    cachedInputTokens: count('cachedInputTokens'),
    cacheWriteTokens: count('cacheWriteTokens'),
    outputTokens: count('outputTokens'),
    reasoningTokens: count('reasoningTokens'),
  };
}

/** What fits beside 49 others: the plain values of the usage that a tool's task tells. */
function brief(usage: JsonObject): JsonObject {
  const isPlain = (value: Json) => typeof value !== 'object' && String(value).length <= MAX_TOLD_CHARS;
  return Object.fromEntries(
    Object.entries(usage)
      .filter(([name, value]) => isPlain(value) && name.length <= MAX_TOLD_CHARS)
      .slice(0, MAX_TOLD_FIELDS),
  );
}

function latencyOf(call: Call): number {
  return typeof call.latencyMs === 'number' ? call.latencyMs : 0;
}

export class Spending {
  readonly #context: Pick<TaskContext, 'addCost' | 'log' | 'outside'>;
  #calls: readonly Call[] = [];
  /** The first call of a model by this attempt. */
  #own: Call | undefined;
  #unlisted: TokenUsage = NO_TOKENS;
  #unlistedMs = 0;
  #hasWarned = false;

  constructor(context: Pick<TaskContext, 'addCost' | 'log' | 'outside'>) {
    this.#context = context;
  }

  /** Prices one call that was answered at `at` and adds it to the attempt. */
  async add(access: ModelAccess, answered: Answered, at: Date, latencyMs: number): Promise<void> {
    const costUsd = await this.#price(access, answered, at);
    if (costUsd === null) this.#warn(`${access.provider}/${access.name}`, answered.usage === null);
    const call: Call = {
      provider: access.provider,
      model: `${access.provider}/${access.name}`,
      ...addTokens(NO_TOKENS, answered.usage ?? NO_TOKENS),
      latencyMs,
      simulated: access.dialect === 'simulated',
      costUsd,
    };
    this.#own ??= call;
    this.#list(call);
    this.#context.addCost(costUsd, this.#usage());
  }

  /** Takes what the task of a tool spends; it is listed as one call. */
  ofTool(tool: string): TaskContext['addCost'] {
    let call: Call | null = null;
    return (usd, usage = {}) => {
      const costUsd = usd === null || call?.costUsd === null ? null : addUsd(call?.costUsd ?? '0', usd);
      const next: Call = { ...call, ...brief(usage), tool, costUsd };
      if (call === null) this.#list(next);
      else this.#calls = this.#calls.map((one) => (one === call ? next : one));
      call = next;
      this.#context.addCost(usd, this.#usage());
    };
  }

  #list(call: Call): void {
    this.#calls = [...this.#calls, call];
    if (this.#calls.length <= MAX_LISTED_CALLS) return;
    const [first, ...rest] = this.#calls;
    this.#unlisted = addTokens(this.#unlisted, tokensOf(first as Call));
    this.#unlistedMs += latencyOf(first as Call);
    this.#calls = rest;
  }

  /** One call as it is; of more the totals, under the name of the first model. */
  #usage(): JsonObject {
    const { costUsd: _, ...own } = this.#own ?? {};
    if (this.#calls.length === 1 && this.#calls[0] === this.#own) return own;
    const tokens = this.#calls.map(tokensOf).reduce(addTokens, this.#unlisted);
    const latencyMs = this.#calls.reduce((sum, call) => sum + latencyOf(call), this.#unlistedMs);
    return { ...own, ...tokens, latencyMs, calls: this.#calls };
  }

  /** By the name that was asked for; where that has no price, by the one that the provider says has answered. */
  async #price({ provider, name }: ModelAccess, answered: Answered, at: Date): Promise<string | null> {
    const { usage, answeredBy } = answered;
    if (usage === null) return null;
    const { prices } = this.#context.outside;
    const { costUsd } = await prices.price({ provider, model: name, at, usage });
    if (costUsd !== null || answeredBy === undefined || answeredBy === name) return costUsd;
    return (await prices.price({ provider, model: answeredBy, at, usage })).costUsd;
  }

  #warn(model: string, isUncounted: boolean): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#context.log.warn(
      isUncounted
        ? `${model} did not say how many tokens it used: the cost of this task is unknown`
        : `there is no price for ${model}: the cost of this task is unknown; "dagwright pricing set" adds one`,
    );
  }
}
