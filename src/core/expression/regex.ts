// Patterns of expressions: whether one can be used, and whether a text fits, counted in steps.
import { currentBuildBudget } from './build-budget.ts';
import { ExpressionError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import {
  costOfBuilding,
  type LinearPattern,
  linearPattern,
  PatternError,
  weightOfPattern,
} from './linear-pattern.ts';

/** Steps of an evaluation that building a unit of weight costs. */
const STEPS_PER_WEIGHT = 30;

/** What is wrong with a pattern, or null. */
export function patternProblem(pattern: string): string | null {
  try {
    const budget = currentBuildBudget();
    if (budget !== null && !budget.spendOnce(pattern, weightOfPattern(pattern)))
      return 'the patterns and schemas of this document take too much to compile';
    linearPattern(pattern);
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
  let regex: LinearPattern;
  try {
    // Patterns may come from data, a new one for each element: building them is charged too.
    evaluation.charge(STEPS_PER_WEIGHT * costOfBuilding(pattern));
    regex = linearPattern(pattern);
  } catch (error) {
    if (error instanceof PatternError) throw new ExpressionError('expression', error.message);
    throw error;
  }
  evaluation.charge(regex.stepsFor(text.length));
  return how === 'match' ? regex.fits(text) : regex.finds(text);
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
