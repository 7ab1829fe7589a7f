// What a bill costs by the price table, and why where that is not known: one function for runs and for `pricing cost`.
//   B1  Each line is priced at its own model, by its own size; the sum is the cost. One line without a price: no cost.
//   B2  Where the table has no price, what the provider says that it charges is the cost; where both are known and differ by
//       more than 1 %, that is said, and the table's holds.
import { compareUsd, multiplyUsd, subtractUsd, sumUsd, type Usd } from '../money.ts';
import { type AnsweredCall, findAnswerPrice } from './answer-price.ts';
import { answeredByOther, type Bill } from './bill.ts';
import { ANY_MODEL, type PriceTable } from './price-table.ts';
import { explainPricing } from './price-usage.ts';
import { modelName, providerName } from './provider-name.ts';
import type { UsageLine } from './read-usage.ts';
import { findClassFactor, type ServiceClass } from './service-class.ts';
import type { PricedUsage } from './usage.ts';

export interface PricedBill extends PricedUsage {
  /** The model that answered, where it is another one than was asked for. */
  readonly answeredBy: string | null;
  readonly statedCostUsd: Usd | null;
  /** Why there is no cost, or only the provider's word for it; null: the table knows it. */
  readonly unknownBecause: string | null;
  /** What else must be said. */
  readonly warnings: readonly string[];
}

const UNKNOWN = { inputCostUsd: null, outputCostUsd: null, costUsd: null } as const;
/** The part of a stated cost by which ours may differ from it without a word. */
const TOLERANCE = '0.01';

export function priceBill(
  table: PriceTable,
  bill: Bill,
  call: { readonly provider: string; readonly model: string; readonly at: Date },
): PricedBill {
  const { statedCostUsd } = bill;
  const answeredBy = answeredByOther(bill, call.provider, call.model) ? bill.answeredBy : null;
  const priced = priceLines(table, bill, call);
  const common = { answeredBy, statedCostUsd, unknownBecause: priced.unknownBecause };
  if (priced.costUsd === null) return { ...common, ...priced.costs, costUsd: statedCostUsd, warnings: [] };
  return {
    ...common,
    ...priced.costs,
    costUsd: priced.costUsd,
    warnings: [
      ...priced.warnings,
      ...(statedCostUsd === null ? [] : compareWithStated(priced.costUsd, statedCostUsd)),
    ],
  };
}

interface PricedLines {
  readonly costs: Pick<PricedUsage, 'inputCostUsd' | 'outputCostUsd'>;
  readonly costUsd: Usd | null;
  readonly unknownBecause: string | null;
  readonly warnings: readonly string[];
}

function priceLines(
  table: PriceTable,
  bill: Bill,
  call: { readonly provider: string; readonly model: string; readonly at: Date },
): PricedLines {
  const nothing = (unknownBecause: string): PricedLines => ({
    costs: UNKNOWN,
    costUsd: null,
    unknownBecause,
    warnings: [],
  });
  const [problem] = bill.problems;
  const asked = `${call.provider}/${modelName(call.provider, call.model)}`;
  if (problem !== undefined)
    return nothing(
      `the usage block of ${asked} cannot be read: ${problem.pointer}${problem.pointer === '' ? '' : ': '}${problem.message}`,
    );
  if (bill.lines.length === 0) return nothing(`${asked} did not say how many tokens it used`);
  const priced = bill.lines.map((line) => priceLine(table, line, bill, call));
  const unknown = priced.find(({ unknownBecause }) => unknownBecause !== null);
  const sum = (costs: readonly (Usd | null)[]): Usd | null =>
    costs.some((cost) => cost === null) ? null : sumUsd(costs as readonly Usd[]);
  return {
    costs: {
      inputCostUsd: sum(priced.map(({ inputCostUsd }) => inputCostUsd)),
      outputCostUsd: sum(priced.map(({ outputCostUsd }) => outputCostUsd)),
    },
    costUsd: sum(priced.map(({ costUsd }) => costUsd)),
    unknownBecause: unknown?.unknownBecause ?? null,
    warnings: [...new Set(priced.flatMap(({ warning }) => warning ?? []))],
  };
}

interface PricedLine extends PricedUsage {
  readonly unknownBecause: string | null;
  readonly warning?: string;
}

function priceLine(
  table: PriceTable,
  line: UsageLine,
  { answeredBy, classes }: Bill,
  { provider, model, at }: Omit<AnsweredCall, 'answeredBy'>,
): PricedLine {
  // An advisor, or a declined attempt, is a model of its own.
  const asked = line.model ?? model;
  const found = findAnswerPrice(table, { provider, model: asked, answeredBy: line.model ?? answeredBy, at });
  if (found.row === null) {
    const name = `${provider}/${modelName(provider, found.model)}`;
    const whose = modelName(provider, found.model) === modelName(provider, model) ? '' : ', which answered';
    return {
      ...UNKNOWN,
      unknownBecause: `there is no price for ${name}${whose}; dagwright pricing set '${name}' --input USD --output USD sets one`,
    };
  }
  const { row } = found;
  const named = row.model === ANY_MODEL ? asked : row.model;
  const served = findClassFactor(providerName(provider), named.toLowerCase(), classes);
  if ('unknown' in served)
    return {
      ...UNKNOWN,
      unknownBecause: `no price is known for ${describeClass(served.unknown)} of ${row.provider}/${row.model}`,
    };
  const { unpriced, ...costs } = explainPricing(line.usage, row, {
    factor: served.factor,
    coversAllKinds: row.source === 'operator',
  });
  return {
    ...costs,
    ...(found.instead !== undefined && {
      warning: `"${found.instead}" answered, which no price list knows: priced as ${row.provider}/${row.model}`,
    }),
    unknownBecause:
      unpriced === null ? null : `the price of ${row.provider}/${row.model} has no rate for ${unpriced}`,
  };
}

const describeClass = ({ kind, value }: ServiceClass) => `${kind} "${value}"`;

function compareWithStated(costUsd: Usd, statedCostUsd: Usd): string[] {
  const difference = subtractUsd(costUsd, statedCostUsd);
  const amount = difference.startsWith('-') ? difference.slice(1) : difference;
  if (compareUsd(amount, multiplyUsd(statedCostUsd, TOLERANCE)) <= 0) return [];
  return [`the provider says that it charges $${statedCostUsd}, by the price table it is $${costUsd}`];
}
