// Regular expressions in linear time, by RE2: no look-around, no back-references, and a bound on the work of one test.
import { RE2JS } from 're2js';
import { createTextCache } from './cache.ts';
import { ExpressionError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { MAX_PATTERN_CHARS, MAX_PATTERN_SIZE } from './limits.ts';

// Few and small: a compiled pattern and its states may take a thousand times its text.
const compiled = createTextCache<RE2JS>(200, 40_000);

/** What is wrong with a pattern, or null. */
export function patternProblem(pattern: string): string | null {
  try {
    compile(pattern);
    return null;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}

/** Whether the whole text (`match`) or a part of it (`search`) fits the pattern. Throws {@link ExpressionError}. */
export function testPattern(
  evaluation: Evaluation,
  how: 'match' | 'search',
  text: string,
  pattern: string,
): boolean {
  // Patterns may come from data, a new one for each element: building them is charged too.
  const isNew = pattern.length <= MAX_PATTERN_CHARS && compiled.get(pattern) === undefined;
  let regex: RE2JS;
  try {
    regex = compile(pattern);
  } catch (error) {
    if (error instanceof PatternError) throw new ExpressionError('expression', error.message);
    throw error;
  }
  if (isNew) evaluation.charge(2000 + 20 * regex.programSize());
  evaluation.charge(((text.length + 1) * regex.programSize()) / 2);
  return how === 'match' ? regex.testExact(text) : regex.test(text);
}

/** RFC 9485: in JSONPath filters a dot matches neither line feed nor carriage return. */
export function fromIRegexp(pattern: string): string {
  let mapped = '';
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '\\') {
      mapped += char + (pattern[++i] ?? '');
      continue;
    }
    if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    mapped += char === '.' && !inClass ? '[^\\n\\r]' : char;
  }
  return mapped;
}

class PatternError extends Error {}

function compile(pattern: string): RE2JS {
  if (pattern.length > MAX_PATTERN_CHARS)
    throw new PatternError(
      `a pattern may have at most ${MAX_PATTERN_CHARS} characters, got ${pattern.length}`,
    );
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(pattern);
  } catch (error) {
    const reason =
      error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    throw new PatternError(`the pattern is not a regular expression that RE2 knows: ${reason}`);
  }
  if (regex.programSize() > MAX_PATTERN_SIZE)
    throw new PatternError(
      `the pattern is too large: ${regex.programSize()} instructions, at most ${MAX_PATTERN_SIZE}`,
    );
  compiled.set(pattern, regex);
  return regex;
}
