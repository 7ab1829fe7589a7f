// The `pattern` of JSON Schema through RE2: linear in the text, bounded in the pattern.
import { RE2JS } from 're2js';
import { MAX_PATTERN_CHARS, MAX_PATTERN_SIZE } from '../../expression/limits.ts';

/** For Ajv's `code.regExp`. Throws, with the reason, on a pattern that RE2 does not know or that is too large. */
export function linearRegExp(pattern: string): RegExp {
  if (pattern.length > MAX_PATTERN_CHARS)
    throw new Error(`a pattern may have ${MAX_PATTERN_CHARS} characters`);
  const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
  if (compiled.programSize() > MAX_PATTERN_SIZE)
    throw new Error(`a pattern may have ${MAX_PATTERN_SIZE} instructions, got ${compiled.programSize()}`);
  // Ajv takes two patterns with the same toString for one.
  return { test: (text: string) => compiled.test(text), toString: () => `/${pattern}/` } as RegExp;
}
// Ajv prints this in standalone code, which we never make; it must be there.
linearRegExp.code = 'linearRegExp';

/** Why a pattern cannot be used, or null. */
export function linearRegExpProblem(pattern: string): string | null {
  try {
    linearRegExp(pattern);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
  }
}
