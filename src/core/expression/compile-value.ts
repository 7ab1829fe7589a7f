// Compiles any JSON value with templates in its strings, and single texts; collects every problem instead of the first.

import { createTextCache } from '../cache.ts';
import type { Problem } from '../errors.ts';
import { type Json, type JsonObject, MAX_DEPTH } from '../json.ts';
import { currentBuildBudget } from './build-budget.ts';
import { compileRun, type Run, required } from './compile.ts';
import { constantProblems } from './constant-check.ts';
import { CACHE_CHARS, CACHE_ENTRIES } from './limits.ts';
import { setOwn } from './scope.ts';
import type { Expression } from './syntax/ast.ts';
import { SyntaxProblem } from './syntax/cursor.ts';
import { collectReferences, type Reference } from './syntax/references.ts';
import { parseBare, parseTemplate, type Template } from './syntax/template.ts';
import { toText } from './values.ts';

/** A compiled text. `constant` where there is nothing to evaluate. */
type CompiledText =
  | { readonly kind: 'constant'; readonly value: Json }
  | { readonly kind: 'run'; readonly run: Run; readonly expressions: readonly Expression[] }
  | { readonly kind: 'problem'; readonly message: string; readonly hint: string | undefined };

export type Compiled =
  | { readonly kind: 'constant'; readonly value: Json }
  | { readonly kind: 'run'; readonly run: Run };

/** Where compiling puts what it finds. */
export interface Findings {
  readonly roots: ReadonlySet<string>;
  readonly problems: Problem[];
  readonly references: Reference[];
}

const cache = createTextCache<CompiledText>(CACHE_ENTRIES, CACHE_CHARS);

/** A JSON value with templates in any of its strings. Keys are taken as they are. */
export function compileValue(value: Json, pointer: string, findings: Findings, depth = 0): Compiled {
  if (typeof value === 'string') return compileText('template', value, pointer, findings, false);
  if (typeof value !== 'object' || value === null) return { kind: 'constant', value };
  if (depth >= MAX_DEPTH) {
    findings.problems.push({
      pointer,
      code: 'expression',
      message: `nested deeper than ${MAX_DEPTH} levels`,
    });
    return { kind: 'constant', value: null };
  }
  return Array.isArray(value)
    ? compileArray(value, pointer, findings, depth)
    : compileObject(value as JsonObject, pointer, findings, depth);
}

function compileArray(value: readonly Json[], pointer: string, findings: Findings, depth: number): Compiled {
  const items = value.map((item, i) => compileValue(item, `${pointer}/${i}`, findings, depth + 1));
  if (items.every(({ kind }) => kind === 'constant')) return constantOf(value, items);
  const runs = items.map(toRequired);
  return {
    kind: 'run',
    run: (evaluation) => {
      evaluation.charge(runs.length);
      return runs.map((run) => run(evaluation));
    },
  };
}

function compileObject(value: JsonObject, pointer: string, findings: Findings, depth: number): Compiled {
  const keys = Object.keys(value);
  const members = keys.map((key) =>
    compileValue(value[key]!, `${pointer}/${escapePointer(key)}`, findings, depth + 1),
  );
  if (members.every(({ kind }) => kind === 'constant')) return constantOf(value, members, keys);
  const runs = members.map(toRequired);
  return {
    kind: 'run',
    run: (evaluation) => {
      evaluation.charge(runs.length);
      const object: Record<string, Json> = {};
      for (let i = 0; i < runs.length; i++) setOwn(object, keys[i]!, runs[i]!(evaluation));
      return object;
    },
  };
}

/** The value itself where no escape changed anything below it, so that a constant costs nothing. */
function constantOf(
  value: readonly Json[] | JsonObject,
  parts: readonly Compiled[],
  keys?: readonly string[],
): Compiled {
  const values = parts.map((part) => (part.kind === 'constant' ? part.value : null));
  if (keys === undefined) {
    const same = values.every((item, i) => item === (value as readonly Json[])[i]);
    return { kind: 'constant', value: same ? value : values };
  }
  if (values.every((item, i) => item === (value as JsonObject)[keys[i]!])) return { kind: 'constant', value };
  const object: Record<string, Json> = {};
  keys.forEach((key, i) => {
    setOwn(object, key, values[i]!);
  });
  return { kind: 'constant', value: object };
}

function toRequired(compiled: Compiled): ReturnType<typeof required> {
  if (compiled.kind === 'run') return required(compiled.run);
  const { value } = compiled;
  return () => value;
}

/** RFC 6901. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * One text: a string with templates, a URL with templates, or a bare expression. `guarded` says whether the whole may be missing (conditions).
 * Pointers are put in here, so that texts can be cached without them.
 */
export function compileText(
  kind: 'template' | 'url' | 'expression',
  text: string,
  pointer: string,
  findings: Findings,
  guarded: boolean,
): Compiled {
  if (kind !== 'expression' && !text.startsWith('$') && !text.includes('{{'))
    return { kind: 'constant', value: text };
  const key = `${kind}\n${rootsKey(findings.roots)}\n${text}`;
  if (!canPay(key, text)) return tooMuch(pointer, findings);
  let compiled = cache.get(key);
  if (compiled === undefined) {
    compiled =
      kind === 'expression'
        ? compileBare(text, findings.roots)
        : compileTemplate(text, findings.roots, kind === 'url');
    cache.set(key, compiled);
  }
  switch (compiled.kind) {
    case 'problem': {
      const { message, hint } = compiled;
      findings.problems.push({
        pointer,
        code: 'expression',
        message,
        ...(hint === undefined ? {} : { hint }),
      });
      return { kind: 'constant', value: null };
    }
    case 'constant':
      return compiled;
    case 'run': {
      for (const expression of compiled.expressions) {
        findings.references.push(...collectReferences(expression, guarded, pointer));
        for (const message of constantProblems(expression))
          findings.problems.push({ pointer, code: 'expression', message });
      }
      const { run } = compiled;
      return {
        kind: 'run',
        run: (evaluation) => {
          evaluation.pointer = pointer;
          return run(evaluation);
        },
      };
    }
  }
}

/** Units of the budget of a document: of each place that has a text, of a text, and how many of its characters are one. */
const PLACE_COST = 2;
const TEXT_COST = 6;
const CHARS_OF_UNIT = 5;

// However well it is remembered: what a document may hold must not depend on what was asked before.
function canPay(key: string, text: string): boolean {
  const ofText = TEXT_COST + Math.ceil(text.length / CHARS_OF_UNIT);
  return currentBuildBudget()?.spendOnTemplate(key, { ofPlace: PLACE_COST, ofText }) ?? true;
}

const TOO_MUCH = 'the templates, patterns and schemas of this document take too much to compile';

// Said once: what follows is too much as well.
function tooMuch(pointer: string, { problems }: Findings): Compiled {
  if (problems.at(-1)?.message !== TOO_MUCH)
    problems.push({
      ...{ pointer, code: 'expression', message: TOO_MUCH },
      hint: 'fewer or shorter templates; large tables belong into a variable or the input',
    });
  return { kind: 'constant', value: null };
}

const rootsKeys = new WeakMap<ReadonlySet<string>, string>();
function rootsKey(roots: ReadonlySet<string>): string {
  let key = rootsKeys.get(roots);
  if (key === undefined) {
    key = [...roots].join(',');
    rootsKeys.set(roots, key);
  }
  return key;
}

function compileTemplate(text: string, roots: ReadonlySet<string>, isUrl: boolean): CompiledText {
  return guardProblems(() => fromTemplate(parseTemplate(text, roots), isUrl));
}

function compileBare(text: string, roots: ReadonlySet<string>): CompiledText {
  return guardProblems(() => fromTemplate({ kind: 'whole', expression: parseBare(text, roots) }, false));
}

function fromTemplate(template: Template, isUrl: boolean): CompiledText {
  switch (template.kind) {
    case 'text':
      return { kind: 'constant', value: template.text };
    case 'whole': {
      const { expression } = template;
      if (expression.kind === 'literal') return { kind: 'constant', value: expression.value };
      return { kind: 'run', run: compileRun(expression), expressions: [expression] };
    }
    case 'joined': {
      const expressions = template.parts.filter((part) => typeof part !== 'string');
      return { kind: 'run', run: joinParts(template.parts, isUrl), expressions };
    }
  }
}

// In a URL each value is one component, whatever it holds; what begins the URL is taken as it is.
function joinParts(parts: readonly (string | Expression)[], isUrl: boolean): Run {
  const runs = parts.map((part) => (typeof part === 'string' ? part : required(compileRun(part))));
  return (evaluation) => {
    let text = '';
    for (const [i, part] of runs.entries()) {
      const value = typeof part === 'string' ? part : toText(evaluation, part(evaluation));
      const isComponent = isUrl && i > 0 && typeof part !== 'string';
      if (isComponent) {
        evaluation.checkLength(text.length + value.length);
        evaluation.chargeReading(value, 4);
      }
      const added = isComponent ? encodeURIComponent(value.toWellFormed()) : value;
      evaluation.checkLength(text.length + added.length);
      evaluation.charge(added.length / 16);
      text += added;
    }
    return text;
  };
}

function guardProblems(compile: () => CompiledText): CompiledText {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return { kind: 'problem', message: `at character ${error.at + 1}: ${error.message}`, hint: error.hint };
  }
}
