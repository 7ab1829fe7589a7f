// The door to expressions: compile a mapping, an expression or a condition once, evaluate it often.
//   M1  Compiling evaluates nothing and reports every problem with its pointer.
//   M2  Evaluating is synchronous, bounded (limits.ts), runs no code of the author, and throws nothing but ExpressionError
//       (or what a lazy scope value throws).
//   M3  What a template yields is never evaluated again.
import type { Problem, Result } from '../errors.ts';
import type { Json } from '../json.ts';
import { failMissing, type Run } from './compile.ts';
import { type Compiled, compileText, compileValue, type Findings } from './compile-value.ts';
import { ExpressionError } from './errors.ts';
import { Evaluation } from './evaluation.ts';
import { SCOPE_NAMES, type Scope } from './scope.ts';
import type { Reference } from './syntax/references.ts';
import { compileStructured, truth } from './syntax/structured.ts';
import { measureJson } from './values.ts';

export type { Reference } from './syntax/references.ts';

/** A compiled mapping, expression or condition. */
export interface Mapping {
  readonly kind: 'mapping';
  /** True when it holds no template: it then always yields the same value. */
  readonly isConstant: boolean;
  /** Every read of the scope, also in branches that may never be taken. */
  readonly references: readonly Reference[];
  /** The value of a constant mapping, else null. */
  readonly constant: Json;
  readonly run: Run;
}

export interface CompileOptions {
  /** The names that can be read, where they are not those of a task: a webhook's mapping sees `body`, `headers` … */
  readonly roots?: readonly string[];
}

const TASK_ROOTS: ReadonlySet<string> = new Set(SCOPE_NAMES);
/** With so many references, the result may be much larger than the data it refers to, and is measured. */
const MEASURED_REFERENCES = 16;

/** Compiles any JSON value with templates in its strings. Problems have code `expression` and RFC 6901 pointers. */
export function compileMapping(value: Json, pointer: string, options: CompileOptions = {}): Result<Mapping> {
  return finish(options, (findings) => compileValue(value, pointer, findings));
}

/** Compiles a URL with templates: their values are percent-encoded, except that of one which begins the URL. */
export function compileUrl(text: string, pointer: string, options: CompileOptions = {}): Result<Mapping> {
  return finish(options, (findings) => compileText('url', text, pointer, findings, false));
}

/** Compiles a bare expression; `{{ }}` around the whole is allowed. */
export function compileExpression(
  text: string,
  pointer: string,
  options: CompileOptions = {},
): Result<Mapping> {
  return finish(options, (findings) => compileText('expression', text, pointer, findings, false));
}

/** Compiles a condition: a bare expression, true, false, or `{ all | any | not }` over `{ path, operator, value }`. */
export function compileCondition(
  value: Json,
  pointer: string,
  options: CompileOptions = {},
): Result<Mapping> {
  return finish(options, (findings) => {
    const compiled = compileStructured(value, pointer, findings);
    const isTruth = compiled.kind === 'run' || compiled.value === null || typeof compiled.value === 'boolean';
    if (!isTruth && findings.problems.length === 0)
      findings.problems.push({
        pointer,
        code: 'expression',
        message: 'a condition must yield true or false',
      });
    return compiled;
  });
}

function finish(options: CompileOptions, compile: (findings: Findings) => Compiled): Result<Mapping> {
  const problems: Problem[] = [];
  const references: Reference[] = [];
  const roots = options.roots === undefined ? TASK_ROOTS : new Set(options.roots);
  const compiled = compile({ roots, problems, references });
  if (problems.length > 0) return { ok: false, problems };
  const isConstant = compiled.kind === 'constant';
  const constant = isConstant ? compiled.value : null;
  const run: Run = isConstant ? () => constant : compiled.run;
  return { ok: true, value: { kind: 'mapping', isConstant, references, constant, run } };
}

/** The value of a mapping or expression. Throws {@link ExpressionError}. */
export function evaluateMapping(mapping: Mapping, scope: Scope): Json {
  if (mapping.isConstant) return mapping.constant;
  const evaluation = new Evaluation(scope);
  return bounded(() => {
    const value = mapping.run(evaluation);
    if (value === undefined) return failMissing(evaluation);
    if (mapping.references.length > MEASURED_REFERENCES) measureJson(evaluation, value);
    return value;
  });
}

/** Whether a condition holds: null and a missing path are false. Throws {@link ExpressionError} for other values. */
export function evaluateCondition(condition: Mapping, scope: Scope): boolean {
  const evaluation = new Evaluation(scope);
  return bounded(() => truth(condition.run(evaluation) ?? null));
}

/** Data may be nested deeper than the stack: that is an error of the expression, like any other limit. */
function bounded<T>(evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ExpressionError('expression', 'the data is too large or too deeply nested for this expression');
  }
}
