// The codes that the source can produce: found where a `code` is written, and where a function or class that takes one is called.
// Who takes one is found in the source too, by a parameter called `code`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

export interface FoundCode {
  readonly code: string;
  /** Relative to src. */
  readonly file: string;
  /** The function or class that took it; null: a member `code`. */
  readonly taker: string | null;
  /** The arguments before it, as they are written. */
  readonly before: readonly string[];
}

interface Source {
  readonly file: string;
  readonly text: string;
}

/** Files of src with this ending; the table of codes itself and what is generated is not among them. */
export function sources(ending: string): readonly Source[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .filter((file) => !file.startsWith('core/codes/') && file !== 'client/api-description.ts')
    .map((file) => ({ file, text: withoutComments(readFileSync(join(SRC, file), 'utf8')) }));
}

const withoutComments = (text: string) => text.replace(/^\s*(\/\/|\/?\*).*$/gm, '');

/** Where in its arguments a function or class takes a code, by its name. */
type Takers = ReadonlyMap<string, number>;

const DECLARED: readonly (readonly [pattern: RegExp, areShared: boolean])[] = [
  [/export (?:async )?function (\w+)(?:<[^(]*>)?\(/g, true],
  [/export const (\w+) = (?:async )?\(/g, true],
  [/(?<!export )(?:async )?function (\w+)(?:<[^(]*>)?\(/g, false],
  [/(?<!export )const (\w+) = (?:async )?\(/g, false],
  // Methods are called from everywhere.
  [/^ {2}(\w+)\((?=[^()]*\): \w+ \{)/gm, true],
  [/class (\w+)[^{]*\{(?:(?!\n\}).)*?constructor\(/gs, true],
];
const HEIR = /class (?<name>\w+) extends (?<base>\w+) \{\}/g;

/** -1: one of this file that takes no code, whatever others of its name do. */
function takersIn({ text }: Source): { readonly all: Takers; readonly shared: Takers } {
  const all = new Map<string, number>();
  const shared = new Map<string, number>();
  for (const [pattern, areShared] of DECLARED)
    for (const match of text.matchAll(pattern)) {
      const given = argumentsOf(text.slice(match.index + match[0].length));
      const at = given.findIndex((one) => /^code\b/.test(one));
      all.set(match[1]!, at);
      if (areShared && at !== -1) shared.set(match[1]!, at);
    }
  return { all, shared };
}

export function codesInSource(): readonly FoundCode[] {
  const files = sources('.ts');
  const constants = new Map(
    files.flatMap(({ text }) =>
      [...text.matchAll(/const ([A-Z][A-Z_]+) = '([a-z_]+)';/g)].map(
        (match) => [match[1]!, match[2]!] as const,
      ),
    ),
  );
  const codesIn = (expression: string) => [
    ...literalsIn(expression),
    ...(constants.has(expression.trim()) ? [constants.get(expression.trim())!] : []),
  ];
  const own = new Map(files.map((source) => [source.file, takersIn(source).all]));
  const shared = new Map(files.flatMap((source) => [...takersIn(source).shared]));
  for (const { text } of files)
    for (const { groups } of text.matchAll(HEIR)) {
      const at = shared.get(groups!.base!);
      if (at !== undefined) shared.set(groups!.name!, at);
    }
  return files.flatMap(({ file, text }) => [
    ...[...text.matchAll(/\bcode(?:: | = (?!>))([^,;{}\n]*)/g)].flatMap((match) =>
      codesIn(match[1]!).map((code) => ({ code, file, taker: null, before: [] })),
    ),
    ...callsIn(
      text,
      (name, isMethod) => (isMethod ? undefined : own.get(file)!.get(name)) ?? shared.get(name),
    ).flatMap(({ taker, given, at }) =>
      codesIn(given[at] ?? '').map((code) => ({ code, file, taker, before: given.slice(0, at) })),
    ),
  ]);
}

/** Calls of what takes a code. `placeOf`: what a file declares under a name is no method of another's. */
function callsIn(text: string, placeOf: (name: string, isMethod: boolean) => number | undefined) {
  return [...text.matchAll(/(\.|\b)(\w+)\(/g)].flatMap((match) => {
    const at = placeOf(match[2]!, match[1] === '.') ?? -1;
    if (at === -1) return [];
    return { taker: match[2]!, at, given: argumentsOf(text.slice(match.index + match[0].length)) };
  });
}

/** Texts that an expression may yield: itself, or the ways of a condition, but not what that compares, nor parts of a sentence. */
function literalsIn(expression: string): string[] {
  const yielded = expression.replace(/[=!]== '[^']*'|\['\w+'\]|`[^`]*`/g, '');
  return [...yielded.matchAll(/'([a-z][a-z0-9_]*)'/g)].map((match) => match[1]!);
}

/** The arguments up to the bracket that closes them. */
function argumentsOf(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let begin = 0;
  let quote = '';
  for (let at = 0; at <= text.length; at += 1) {
    const char = text[at] ?? ')';
    if (quote !== '') {
      if (char === '\\') at += 1;
      else if (char === quote) quote = '';
    } else if ('\'"`'.includes(char)) quote = char;
    else if ('([{'.includes(char)) depth += 1;
    else if (depth > 0 && ')]}'.includes(char)) depth -= 1;
    else if (depth === 0 && ',)]}'.includes(char)) {
      const one = text.slice(begin, at).trim();
      if (one !== '') found.push(one);
      begin = at + 1;
      if (char !== ',') return found;
    }
  }
  return found;
}
