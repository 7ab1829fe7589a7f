// What a comparison of two checkouts prints: for each workload the median of the rounds' ratios with their range, and what
// a step costs each side.
import type { Comparison, PairResult, SideName, StepCost } from './pairs.ts';
import { alignColumns } from './report.ts';
import { formatValue, medianOf } from './rounds.ts';

export interface RatioRange {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Null where a side has no such cost. */
type Cost = (cost: StepCost) => number | null;

export function pairsText({ checkouts, server, results }: Comparison): string {
  const { a, b } = checkouts;
  const head = ['workload', 'speed B/A', 'µs per step', 'process µs A, B', 'B/A'];
  const body = results.map((result) => [
    result.workload.name,
    rangeText(speedOf(result)),
    both(result, (cost) => cost.wallUs),
    both(result, (cost) => cost.processUs),
    changeText(result, (cost) => cost.processUs),
    both(result, (cost) => cost.serverUs),
    changeText(result, (cost) => cost.serverUs),
  ]);
  const rounds = results[0]?.rounds.length ?? 0;
  return [
    alignColumns([[...head, 'PostgreSQL µs A, B', 'B/A'], ...body]),
    [
      `A: ${a.folder} (${a.commit}), B: ${b.folder} (${b.commit}).`,
      `Medians of the ratios of ${rounds} rounds of A, B, B, A (least..most); process and PostgreSQL: processor time per step.`,
      `Node ${process.versions.node}, PostgreSQL ${server.version}, fsync ${server.fsync}, a server for each.`,
    ].join('\n'),
  ].join('\n\n');
}

/** The object of --json. */
export function pairsObject({ checkouts, server, results }: Comparison): object {
  const side = ({ folder, commit }: Comparison['checkouts'][SideName]) => ({ folder, commit });
  return {
    a: side(checkouts.a),
    b: side(checkouts.b),
    workloads: Object.fromEntries(
      results.map((result) => [result.workload.name, { speed: speedOf(result), rounds: result.rounds }]),
    ),
    environment: { node: process.versions.node, postgres: server.version, fsync: server.fsync },
  };
}

/** How many times as fast B is. */
export function speedOf({ rounds }: PairResult): RatioRange {
  return rangeOf(rounds.map(({ a, b }) => a.wallUs / b.wallUs));
}

function rangeOf(ratios: readonly number[]): RatioRange {
  return { median: medianOf(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

const rangeText = ({ median, least, most }: RatioRange) =>
  `${median.toFixed(3)} (${least.toFixed(3)}..${most.toFixed(3)})`;

function both({ rounds }: PairResult, costIn: Cost): string {
  const values = (['a', 'b'] as const).map((side) => rounds.flatMap((round) => costIn(round[side]) ?? []));
  if (values.some((list) => list.length < rounds.length)) return 'not available';
  return values.map((list) => formatValue(medianOf(list))).join(', ');
}

function changeText({ rounds }: PairResult, costIn: Cost): string {
  const ratios = rounds.flatMap(({ a, b }) => {
    const [before, after] = [costIn(a), costIn(b)];
    return before === null || after === null ? [] : [after / before];
  });
  return ratios.length < rounds.length ? '-' : rangeText(rangeOf(ratios));
}
