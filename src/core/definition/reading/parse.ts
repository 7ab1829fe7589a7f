// From text to a plain document: JSON, or YAML 1.2 with anchors and `<<`. Bounded in size, depth and aliases; never throws.

import { type Document, isNode, isScalar, LineCounter, parseDocument as parseYaml, visit } from 'yaml';
import type { ProblemCode } from '../../codes/code.ts';
import type { Problem, Result } from '../../errors.ts';
import { MAX_DEPTH } from '../../json.ts';
import { quoteText } from '../quote-text.ts';
import { copyDocument, MAX_DOCUMENT_BYTES } from './copy-document.ts';
import { readJson } from './json-reader.ts';

export type DocumentFormat = 'json' | 'yaml' | 'auto';
const MAX_ALIASES = 100;
const MAX_PROBLEMS = 100;
/** Brackets open at once, those in texts included: far above MAX_DEPTH, far below what overflows the YAML parser's stack. */
const MAX_BRACKETS = 2000;
/** What of a line is searched for a template. */
const MAX_LINE = 2000;
const QUOTE = 'put templates in quotes: "{{ … }}"';
/** What is said in place of the parser's words. */
const YAML_TEXTS: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'one document per file',
  NON_STRING_KEY: 'a name must be plain text',
};
const TOO_DEEP = `nested deeper than ${MAX_DEPTH} levels`;

/**
 * Parses an author's text. `auto` takes text that begins with `{` or `[` for JSON, and for YAML if that fails.
 * Problems of the text itself name line and column and have the pointer of the nearest value that is known.
 */
export function parseDocument(
  text: string,
  format: DocumentFormat = 'auto',
  options: { readonly maxBytes?: number } = {},
): Result<unknown> {
  const maxBytes = options.maxBytes ?? MAX_DOCUMENT_BYTES;
  if (typeof text !== 'string') return failure('syntax', 'the document is not text');
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes)
    return failure('too_large', `the document is larger than ${maxBytes} bytes`);
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    const read = readAs(source, format);
    return read.ok ? copyDocument(read.value, maxBytes) : read;
  } catch (error) {
    if (error instanceof RangeError) return failure('too_deep', TOO_DEEP);
    return failure('syntax', 'the document cannot be read');
  }
}

function readAs(source: string, format: DocumentFormat): Result<unknown> {
  if (format === 'json') return readJson(source);
  if (format === 'yaml' || !/^\s*[{[]/.test(source)) return readYaml(source);
  const json = readJson(source);
  if (json.ok || json.problems.some((problem) => problem.code !== 'syntax')) return json;
  const yaml = readYaml(source);
  return yaml.ok ? yaml : json;
}

function readYaml(source: string): Result<unknown> {
  const trap = yamlTrap(source);
  if (trap !== null) return failure('too_deep', trap);
  const lines = new LineCounter();
  // uniqueKeys compares every pair of keys; duplicates are found below with a set instead.
  const document = parseYaml(source, {
    version: '1.2',
    merge: true,
    stringKeys: true,
    resolveKnownTags: false,
    uniqueKeys: false,
    intAsBigInt: true,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  });
  const problems: Problem[] = [];
  const report = (code: ProblemCode, offset: number, message: string, hint?: string): void => {
    const { line, col } = lines.linePos(offset);
    if (problems.length < MAX_PROBLEMS)
      problems.push({
        ...{ pointer: '', code, message: `line ${line}, column ${col}: ${message}` },
        ...(hint === undefined ? {} : { hint }),
      });
  };
  let templateLine = 0;
  for (const error of document.errors.slice(0, MAX_PROBLEMS)) {
    if (/call stack/.test(error.message)) return failure('too_deep', TOO_DEEP);
    const offset = error.pos[0];
    const { line } = lines.linePos(offset);
    // What else is wrong with the line comes of it.
    if (line === templateLine) continue;
    const template = bareTemplate(source, lines.lineStarts[line - 1] ?? 0);
    if (template === null) report('syntax', offset, YAML_TEXTS[error.code] ?? error.message);
    else {
      templateLine = line;
      report('syntax', template, 'YAML reads a value that begins with {{ as a map, not as a text', QUOTE);
    }
  }
  // A tag that is not the core schema's would silently change what a value means.
  for (const warning of document.warnings.slice(0, MAX_PROBLEMS))
    report('syntax', warning.pos[0], warning.message);
  if (problems.length > 0) return { ok: false, problems };
  inspectYaml(document, report);
  if (problems.length > 0) return { ok: false, problems };
  if (document.contents === null) return failure('syntax', 'the document is empty');
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: MAX_ALIASES + 1 }) as unknown };
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const message = error instanceof Error ? error.message : '';
    return /Excessive alias/.test(message)
      ? failure('too_many_aliases', 'the aliases of this document expand to too much')
      : failure('syntax', message.slice(0, 200));
  }
}

/** Where a value of the line begins with a template that is not quoted; null: none does. */
function bareTemplate(source: string, lineStart: number): number | null {
  const end = source.indexOf('\n', lineStart);
  const line = source.slice(lineStart, Math.min(end < 0 ? source.length : end, lineStart + MAX_LINE));
  const found = /(?:^|[:,[-])[ \t]*(?=\{\{)/.exec(line);
  return found === null ? null : lineStart + found.index + found[0].length;
}

/** Aliases are counted, integers made exact, repeated names found. */
function inspectYaml(
  document: Document.Parsed,
  report: (code: ProblemCode, offset: number, message: string) => void,
): void {
  let aliases = 0;
  visit(document, {
    Alias(_key, node) {
      aliases += 1;
      if (aliases === MAX_ALIASES + 1)
        report('too_many_aliases', node.range?.[0] ?? 0, `more than ${MAX_ALIASES} aliases`);
    },
    Scalar(_key, node) {
      if (typeof node.value !== 'bigint') return;
      const exact = Number(node.value);
      if (Number.isSafeInteger(exact)) node.value = exact;
      else
        report(
          'invalid_number',
          node.range?.[0] ?? 0,
          `the integer ${quoteText(String(node.source ?? '').slice(0, 60))} is beyond 2^53 and would be rounded; use a string`,
        );
    },
    Map(_key, node) {
      const seen = new Set<string>();
      for (const { key } of node.items) {
        const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
        if (!isScalar(key)) {
          report('syntax', offset, 'a name must be plain text');
          continue;
        }
        const name = String(key.value);
        if (seen.has(name)) report('duplicate_key', offset, `the name ${quoteText(name)} is given twice`);
        seen.add(name);
      }
    },
  });
}

/** Texts on which the YAML parser needs minutes or overflows: refused by their look. Explicit keys (`? `) nest in cubic time. */
function yamlTrap(source: string): string | null {
  if (/(?:\?[ \t]+){8}|(?:[?-][ \t]+){300}/.test(source)) return TOO_DEEP;
  let explicitKeys = 0;
  for (const _ of source.matchAll(/^[ \t-]*\?\s/gm))
    if (++explicitKeys > 300) return 'more than 300 explicit keys';
  let depth = 0;
  for (let i = 0; i < source.length; i++) {
    const char = source.charCodeAt(i);
    if (char === 0x5b || char === 0x7b) depth += 1;
    else if ((char === 0x5d || char === 0x7d) && depth > 0) depth -= 1;
    if (depth > MAX_BRACKETS) return TOO_DEEP;
  }
  return null;
}

function failure(code: ProblemCode, message: string): Result<never> {
  return { ok: false, problems: [{ pointer: '', code, message }] };
}
