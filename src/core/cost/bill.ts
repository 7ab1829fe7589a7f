// The bill of one answer: what a provider's answer says that was used, by which model, in which class of service, and what the
// provider itself says that it costs. Runs and `pricing cost` read their answers here and price them by price-bill.ts.
import type { Problem } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { multiplyUsd, parseUsd, sumUsd, type Usd } from '../money.ts';
import { MAX_MODEL_NAME } from './price-table.ts';
import { modelName } from './provider-name.ts';
import { readUsageLines, sumLines, type UsageLine } from './read-usage.ts';
import { readServiceClasses, type ServiceClass } from './service-class.ts';
import type { TokenUsage } from './usage.ts';

export interface Bill {
  /** All lines together; null: nothing was counted, or what cannot be read. */
  readonly usage: TokenUsage | null;
  readonly lines: readonly UsageLine[];
  readonly classes: readonly ServiceClass[];
  /** The model that answered, in the provider's words, where it says so. */
  readonly answeredBy: string | null;
  /** What the provider says that it charges. */
  readonly statedCostUsd: Usd | null;
  /** What is wrong with the counts; pointers are relative to the usage block. */
  readonly problems: readonly Problem[];
  /** The provider's own usage block; null: there is none. */
  readonly block: JsonObject | null;
}

/** xAI's: of a dollar. */
const TICK = '0.0000000001';

/** `answer`: the body of a provider's answer, or `{ usage }` with no more than its block. */
export function readBill(provider: string, answer: JsonObject): Bill {
  const block = usageBlockOf(answer);
  const facts = {
    classes: readServiceClasses(answer, block ?? {}),
    answeredBy: modelOf(answer),
    statedCostUsd: block === null ? null : statedCostOf(block),
    block,
  };
  const given = answer.usage ?? answer.usageMetadata ?? null;
  if (given === null) return { ...facts, usage: null, lines: [], problems: [] };
  const lines = readUsageLines(provider, given);
  return lines.ok
    ? { ...facts, usage: sumLines(lines.value, given), lines: lines.value, problems: [] }
    : { ...facts, usage: null, lines: [], problems: lines.problems };
}

function usageBlockOf(answer: JsonObject): JsonObject | null {
  const block = answer.usage ?? answer.usageMetadata;
  return isJsonObject(block) ? block : null;
}

// A longer one is no name that has a price.
function modelOf({ model, modelVersion }: JsonObject): string | null {
  const name = typeof modelVersion === 'string' ? modelVersion : model;
  return typeof name === 'string' && name !== '' && name.length <= MAX_MODEL_NAME ? name : null;
}

/** `cost` of OpenRouter and Perplexity, `cost_in_usd_ticks` of xAI; whatever is no amount is none. */
function statedCostOf(block: JsonObject): Usd | null {
  const { cost, cost_in_usd_ticks: ticks, is_byok: isOwnKey, cost_details: details } = block;
  if (ticks !== undefined && ticks !== null) {
    const amount = amountOf(ticks);
    return amount === null ? null : multiplyUsd(amount, TICK);
  }
  if (isJsonObject(cost)) return amountOf(cost.total_cost);
  const own = amountOf(cost);
  if (own === null || isOwnKey !== true) return own;
  // With a key of one's own OpenRouter's cost is its fee, and the provider charges the rest.
  const upstream = isJsonObject(details) ? amountOf(details.upstream_inference_cost) : null;
  return upstream === null ? null : sumUsd([own, upstream]);
}

function amountOf(value: Json | undefined): Usd | null {
  // No bill has so much, nor so little: what is no amount is none.
  if (typeof value === 'number')
    return value === 0 || (value >= 1e-15 && value < 1e15) ? parseUsd(value) : null;
  return typeof value === 'string' && /^\d{1,12}(\.\d{1,30})?$/.test(value) ? parseUsd(value) : null;
}

/** Whether a bill says that another model than the one asked for has answered. */
export function answeredByOther({ answeredBy }: Bill, provider: string, model: string): boolean {
  // Google writes `models/` before some names.
  const plain = (name: string) => modelName(provider, name.replace(/^models\//, ''));
  return answeredBy !== null && plain(answeredBy) !== plain(model);
}
