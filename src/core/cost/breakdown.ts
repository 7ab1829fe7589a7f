// The cost of one execution broken down by model and by task: exact sums, each of which adds up to the whole.
import { addUsd, compareUsd, type Usd } from '../money.ts';

/** One amount; provider and model null: spent on something that is no model. */
export interface Spending {
  readonly taskId: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly isSimulated: boolean;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** What is known of it. */
  readonly costUsd: Usd;
  /** Some of it has no known price. */
  readonly isUnknown: boolean;
  /** Of attempts that failed; part of costUsd. */
  readonly failedCostUsd: Usd;
}

export interface CostLine {
  /** `provider/model`, or a taskId; null: no model. */
  readonly name: string | null;
  readonly isSimulated: boolean;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: Usd;
  readonly isUnknown: boolean;
  readonly failedCostUsd: Usd;
}

/** One line per model, the dearest first. */
export function costsByModel(spendings: readonly Spending[]): CostLine[] {
  return groupBy(spendings, ({ provider, model }) =>
    model === null || provider === null || model.startsWith(`${provider}/`) ? model : `${provider}/${model}`,
  );
}

/** One line per task, the dearest first. */
export function costsByTask(spendings: readonly Spending[]): CostLine[] {
  return groupBy(spendings, ({ taskId }) => taskId);
}

function groupBy(spendings: readonly Spending[], nameOf: (spending: Spending) => string | null): CostLine[] {
  const lines = new Map<string | null, CostLine>();
  for (const spending of spendings) {
    const name = nameOf(spending);
    const line = lines.get(name);
    lines.set(name, line === undefined ? lineOf(name, spending) : add(line, spending));
  }
  return [...lines.values()].sort((a, b) => compareUsd(b.costUsd, a.costUsd));
}

function lineOf(name: string | null, spending: Spending): CostLine {
  const { isSimulated, calls, inputTokens, outputTokens, costUsd, isUnknown, failedCostUsd } = spending;
  return { name, isSimulated, calls, inputTokens, outputTokens, costUsd, isUnknown, failedCostUsd };
}

function add(line: CostLine, spending: Spending): CostLine {
  return {
    name: line.name,
    isSimulated: line.isSimulated && spending.isSimulated,
    calls: line.calls + spending.calls,
    inputTokens: line.inputTokens + spending.inputTokens,
    outputTokens: line.outputTokens + spending.outputTokens,
    costUsd: addUsd(line.costUsd, spending.costUsd),
    isUnknown: line.isUnknown || spending.isUnknown,
    failedCostUsd: addUsd(line.failedCostUsd, spending.failedCostUsd),
  };
}
