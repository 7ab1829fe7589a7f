// Which names a price is for: the rules of the price library, with RE2 for their patterns.
import { linearSchemaPattern } from '../expression/linear-pattern.ts';

/** Names are compared in lower case. `regex` finds a part of the name. */
export type ModelMatch =
  | { readonly equals: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly not: ModelMatch }
  | { readonly or: readonly ModelMatch[] }
  | { readonly and: readonly ModelMatch[] };

export type MatchesName = (name: string) => boolean;

/** A test for names in lower case. Throws on a pattern that RE2 does not know, and on what is no rule. */
export function compileMatch(match: ModelMatch): MatchesName {
  if ('equals' in match) return equalTo(match.equals);
  if ('starts_with' in match) {
    const start = match.starts_with.toLowerCase();
    return (name) => name.startsWith(start) && !isOtherVersion(start, name.slice(start.length));
  }
  if ('ends_with' in match) {
    const end = match.ends_with.toLowerCase();
    return (name) => name.endsWith(end);
  }
  if ('contains' in match) {
    const part = match.contains.toLowerCase();
    return (name) => {
      const at = name.indexOf(part);
      return at >= 0 && !isOtherVersion(part, name.slice(at + part.length));
    };
  }
  if ('regex' in match) {
    const pattern = linearSchemaPattern(match.regex);
    return (name) => pattern.finds(name);
  }
  if ('not' in match) {
    const inner = compileMatch(match.not);
    return (name) => !inner(name);
  }
  if ('or' in match) {
    const any = match.or.map(compileMatch);
    return (name) => any.some((matches) => matches(name));
  }
  if ('and' in match) {
    const all = match.and.map(compileMatch);
    return (name) => all.every((matches) => matches(name));
  }
  throw new TypeError(`no rule for model names: ${JSON.stringify(match)}`);
}

/**
 * Whether `rest`, what comes after a part of a name that a rule has, makes it another version: `claude-sonnet-5` is not
 * `claude-sonnet-5-5`, nor `glm-4` `glm-4.5`. Dates and revisions (`-0613`, `-001`, `-05-20`, `-10-2024`) are none, nor is
 * what follows a rule that ends where the version begins (`gpt-5-`).
 */
function isOtherVersion(part: string, rest: string): boolean {
  if (!/[a-z\d]$/.test(part)) return false;
  if (/(^|[-.])[1-9]$/.test(part) && /^\d(?=$|[-.:@])/.test(rest)) return true;
  return (
    /^[-.][1-9]\d?(?=$|[-.:@])/.test(rest) && !/^-(0[1-9]|1[0-2])-(\d{4}|[0-2]\d|3[01])(?=$|[-:@])/.test(rest)
  );
}

function equalTo(text: string): MatchesName {
  const whole = text.toLowerCase();
  return (name) => name === whole;
}

/** The name with `-20250929` written as `-2025-09-29`, as other providers date their models; the name itself without a date. */
export function withDashedDate(name: string): string {
  return name.replace(
    /-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)/g,
    (all, year: string, month: string, day: string) =>
      isDate(Number(year), Number(month), Number(day)) ? `-${year}-${month}-${day}` : all,
  );
}

function isDate(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
