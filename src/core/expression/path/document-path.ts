// RFC 9535 queries over one document, where `$` is the document itself: aggregation paths, and the compliance suite.
import type { Result } from '../../errors.ts';
import type { Json } from '../../json.ts';
import { ExpressionError } from '../errors.ts';
import { Evaluation, type Root } from '../evaluation.ts';
import type { EvaluationBudget } from '../evaluation-budget.ts';
import { MAX_PATH_CHARS } from '../limits.ts';
import { Cursor, SyntaxProblem } from '../syntax/cursor.ts';
import { newPathContext } from '../syntax/filter-syntax.ts';
import { parseSegments } from '../syntax/path-syntax.ts';
import { compileQuery, type Query, readChild, selectAll, walkDefinite } from './query.ts';

export interface DocumentPath {
  readonly text: string;
  /** True when it selects at most one value. */
  readonly isDefinite: boolean;
  readonly query: Query;
}

/** Compiles `$…`. Everything RFC 9535 calls invalid is refused, and `__proto__`, `prototype`, `constructor`. */
export function compileDocumentPath(text: string, pointer: string): Result<DocumentPath> {
  try {
    const cursor = new Cursor(text);
    if (text.length > MAX_PATH_CHARS) cursor.fail(`a path may have at most ${MAX_PATH_CHARS} characters`);
    cursor.expect('$', '"$"');
    const query = compileQuery(parseSegments(cursor, newPathContext()));
    if (!cursor.isAtEnd()) cursor.fail(`expected ".", "[" or the end, found ${cursor.found()}`);
    return { ok: true, value: { text, isDefinite: query.steps.length === 0, query } };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    const message = `at character ${error.at + 1}: ${error.message}`;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return { ok: false, problems: [{ pointer, code: 'expression', message, ...hint }] };
  }
}

/**
 * All values that the path selects, in RFC order. Throws {@link ExpressionError} where a limit is reached; `budget` is what
 * paths over several documents may take together.
 */
export function selectFromDocument(path: DocumentPath, document: Json, budget?: EvaluationBudget): Json[] {
  const evaluation = new Evaluation({}, budget);
  const root: Root = {
    member: (name) => readChild(document, name),
    whole: () => document,
  };
  try {
    const start = walkDefinite(document, path.query.prefix, evaluation);
    return start === undefined ? [] : selectAll(start, path.query.steps, root, evaluation);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ExpressionError('expression', 'the data is too large or too deeply nested for this path');
  }
}

/** The one value of a definite path, undefined where it is missing; the array of all values of another path. */
export function readDocument(
  path: DocumentPath,
  document: Json,
  budget?: EvaluationBudget,
): Json | undefined {
  const values = selectFromDocument(path, document, budget);
  return path.isDefinite ? values[0] : values;
}
