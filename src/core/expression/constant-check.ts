// Finds calls that must fail whatever the data is, since an argument that is written out does not fit: a pattern that
// formatDate does not know, a size of 0. Only validation asks: what was stored with one fails where it is evaluated.
//   K1  A call is tried with its constants, and with samples of every type for what comes from data.
//   K2  It is a problem where no sample helps and the message blames a constant. In doubt there is none.
//   K3  What is tried is counted: beyond the limits nothing is looked for.
import type { Json } from '../json.ts';
import { currentBuildBudget } from './build-budget.ts';
import { ExpressionError } from './errors.ts';
import { Evaluation } from './evaluation.ts';
import { EvaluationBudget } from './evaluation-budget.ts';
import { Arguments } from './functions/arguments.ts';
import { FUNCTIONS, OVER_ELEMENTS } from './functions/registry.ts';
import type { Expression } from './syntax/ast.ts';
import { partsOf } from './syntax/parts.ts';

type Call = Expression & { readonly kind: 'call' };

/** Stand for what comes from data: one of them is of the right type, and fits. */
const SAMPLES: readonly Json[] = ['2027-01-01T00:00:00Z', 'a', 1, [], {}, true, [1], ['a']];
/** Answered by the compiler, or by a task's context. */
const NOT_TRIED = new Set(['exists', 'now', 'uuid', ...OVER_ELEMENTS]);
/** Steps of one try; enough for a time zone, and not for a large text. */
const MAX_STEPS = 6_000;
const MAX_CONSTANT_CHARS = 1_000;

/** Why calls within this expression can never succeed, each once. */
export function constantProblems(expression: Expression): readonly string[] {
  const known = currentBuildBudget()?.constantCalls ?? null;
  if (known === null) return [];
  return callsOf(expression).flatMap((call) => {
    const key = keyOf(call);
    if (key === null) return [];
    if (!known.has(key)) {
      if (known.isFull) return [];
      known.set(key, tryCall(call));
    }
    return known.get(key) ?? [];
  });
}

function tryCall({ name, args, at }: Call): string | null {
  const constants = args.map(constantOf);
  const open = constants.flatMap((value, i) => (value === undefined ? [i] : []));
  const { call } = FUNCTIONS.get(name)!;
  let blamed: string | null = null;
  for (const samples of samplesFor(open.length)) {
    const values = constants.map((value, i) => value ?? samples[open.indexOf(i)] ?? null);
    try {
      call(new Arguments(new Evaluation({}, new EvaluationBudget(MAX_STEPS)), name, values, at));
      return null;
    } catch (error) {
      if (!(error instanceof ExpressionError)) return null;
      if (/too many steps|not available here/.test(error.message)) return null;
      if (blamesConstant(error.message, open)) blamed ??= error.message;
    }
  }
  return blamed;
}

// Messages name an argument by its number; one that names none is about the constants where nothing else is there.
function blamesConstant(message: string, open: readonly number[]): boolean {
  const named = /\bargument (\d+)\b/.exec(message)?.[1];
  return named === undefined ? open.length === 0 : !open.includes(Number(named) - 1);
}

/** Two places vary by themselves, more of them together. */
function* samplesFor(places: number): Generator<readonly Json[]> {
  if (places === 0) yield [];
  else
    for (const first of SAMPLES) {
      if (places === 1) yield [first];
      else for (const other of SAMPLES) yield [first, ...Array.from({ length: places - 1 }, () => other)];
    }
}

/** Null: there is nothing to try. */
function keyOf({ name, args }: Call): string | null {
  if (NOT_TRIED.has(name)) return null;
  const constants = args.map(constantOf);
  if (constants.every((value) => value === undefined)) return null;
  // Which members the elements have is between the two.
  if (name === 'sort' && constants.includes(undefined)) return null;
  const key = JSON.stringify([name, constants.map((value) => (value === undefined ? [] : [value]))]);
  return key.length > MAX_CONSTANT_CHARS ? null : key;
}

/** The value of what is written out; undefined: it comes from data. */
function constantOf(node: Expression): Json | undefined {
  switch (node.kind) {
    case 'literal':
      return node.value;
    case 'negate': {
      const operand = constantOf(node.operand);
      return typeof operand === 'number' ? -operand : undefined;
    }
    case 'array': {
      const items = node.items.map(constantOf);
      return items.includes(undefined) ? undefined : (items as Json[]);
    }
    default:
      return undefined;
  }
}

function callsOf(node: Expression): readonly Call[] {
  const own = node.kind === 'call' ? [node] : [];
  return [...partsOf(node).flatMap(callsOf), ...own];
}
