// What one attempt has spent on model calls: hands each call's exact cost to the engine once, with the usage of all calls
// of the attempt so far.
import type { Bill } from '../../core/cost/bill.ts';
import { addTokenUsage, NO_TOKENS, type TokenUsage } from '../../core/cost/usage.ts';
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
const MAX_WARNINGS = 10;

/** The usage of an output: `tokens` of all turns, with the provider's own block of the last. */
export function usageOf({ block }: Bill, tokens: TokenUsage): JsonObject {
  const { parts: _, ...counts } = tokens;
  return { ...counts, raw: block ?? {} };
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
  readonly #warned = new Set<string>();

  constructor(context: Pick<TaskContext, 'addCost' | 'log' | 'outside'>) {
    this.#context = context;
  }

  /** Prices one call that was answered at `at` and adds it to the attempt. */
  async add(access: ModelAccess, { bill }: Answered, at: Date, latencyMs: number): Promise<void> {
    const { provider, name } = access;
    const priced = await this.#context.outside.prices.price({ provider, model: name, at, bill });
    const { costUsd, answeredBy, statedCostUsd, unknownBecause } = priced;
    if (costUsd === null) this.#warn(`the cost of this task is unknown: ${unknownBecause}`);
    for (const warning of priced.warnings) this.#warn(`${provider}/${name}: ${warning}`);
    const { parts: _, ...tokens } = bill.usage ?? NO_TOKENS;
    const call: Call = {
      provider,
      model: `${provider}/${name}`,
      ...(answeredBy !== null && { answeredBy }),
      ...tokens,
      latencyMs,
      simulated: access.dialect === 'simulated',
      costUsd,
      ...(statedCostUsd !== null && { statedCostUsd }),
      ...(unknownBecause !== null && { costUnknownBecause: unknownBecause }),
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
    this.#unlisted = addTokenUsage(this.#unlisted, tokensOf(first as Call));
    this.#unlistedMs += latencyOf(first as Call);
    this.#calls = rest;
  }

  /** One call as it is; of more the totals, under the name of the first model. */
  #usage(): JsonObject {
    const { costUsd: _, ...own } = this.#own ?? {};
    const unknown = this.#calls.find((call) => call.costUnknownBecause !== undefined);
    if (this.#calls.length === 1 && this.#calls[0] === this.#own) return own;
    const tokens = this.#calls.map(tokensOf).reduce(addTokenUsage, this.#unlisted);
    const latencyMs = this.#calls.reduce((sum, call) => sum + latencyOf(call), this.#unlistedMs);
    return {
      ...own,
      ...tokens,
      latencyMs,
      // The attempt's, of whichever call.
      ...(unknown !== undefined && { costUnknownBecause: unknown.costUnknownBecause! }),
      calls: this.#calls,
    };
  }

  /** Each warning once for an attempt: a conversation has many calls. */
  #warn(warning: string): void {
    if (this.#warned.has(warning) || this.#warned.size >= MAX_WARNINGS) return;
    this.#warned.add(warning);
    this.#context.log.warn(warning);
  }
}
