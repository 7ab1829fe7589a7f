// Which price holds for an answer: that of the model that answered, which need not be the one that was asked for (an alias
// such as `-latest`, a router, a fallback of the provider's own, a deployment with a name of its own).
import type { PriceRow, PriceTable } from './price-table.ts';
import { modelName } from './provider-name.ts';

export interface AnsweredCall {
  readonly provider: string;
  /** As it was asked for. */
  readonly model: string;
  /** Null: the provider did not say. */
  readonly answeredBy: string | null;
  readonly at: Date;
}

/** The row, or for which model there is none. `instead`: the answer's own name, which is in no list, where the row is another's. */
export type AnswerPrice =
  | { readonly row: PriceRow; readonly instead?: string }
  | { readonly row: null; readonly model: string };

export function findAnswerPrice(
  table: PriceTable,
  { provider, model, answeredBy, at }: AnsweredCall,
): AnswerPrice {
  const asked = table.find(provider, model, at);
  const answered = answeredBy === null ? model : withoutPath(answeredBy);
  if (modelName(provider, answered) === modelName(provider, model)) return orNone(asked, model);
  const found = table.find(provider, answered, at);
  if (isSnapshot(provider, model, answered)) return orNone(preferOperator(asked, found), answered);
  // A deployment, whose name only the operator knows, goes by what the operator has set for it.
  const own = table.findOwn(provider, model, at);
  const isDeployment = own !== null && table.listedName(provider, model) === null;
  if (isDeployment && table.findOwn(provider, answered, at) === null) return { row: own };
  if (found !== null) return { row: found };
  if (table.knowsFamily(provider, answered)) return { row: null, model: answered };
  // A server that stands in for the provider, and calls its models as it likes.
  if (asked === null) return { row: null, model };
  return asked.source === 'operator' ? { row: asked } : { row: asked, instead: answered };
}

const orNone = (row: PriceRow | null, model: string): AnswerPrice =>
  row === null ? { row, model } : { row };

// What the operator has set for the name that is asked for goes before a list's price of its snapshot.
function preferOperator(asked: PriceRow | null, found: PriceRow | null): PriceRow | null {
  return asked?.source === 'operator' && found?.source !== 'operator' ? asked : (found ?? asked);
}

/** `models/gemini-3-flash` is how Google names its models in some answers. */
const withoutPath = (name: string) => name.replace(/^models\//, '');

/** `gpt-4o-2024-08-06` for `gpt-4o`, and the other way round. */
function isSnapshot(provider: string, model: string, answered: string): boolean {
  const [short, long] = [modelName(provider, model), modelName(provider, answered)].sort(
    (a, b) => a.length - b.length,
  );
  const rest = long!.slice(short!.length);
  return long!.startsWith(short!) && /^[-@](20\d{2}-?\d{2}-?\d{2}|latest)$/.test(rest);
}
