// The patterns of one part of a schema, and whether they can be used within the budget of their document.
import type { BuildBudget } from '../../expression/build-budget.ts';
import { linearSchemaPattern, PatternError, weightOfSchemaPattern } from '../../expression/linear-pattern.ts';
import { isJsonObject, type JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';

/** Each with its place. */
export function* patternsOf(
  { pattern, patternProperties }: JsonObject,
  pointer: string,
): Generator<{ readonly pattern: string; readonly pointer: string }> {
  if (typeof pattern === 'string') yield { pattern, pointer: joinPointer(pointer, 'pattern') };
  for (const name of isJsonObject(patternProperties) ? Object.keys(patternProperties) : [])
    yield { pattern: name, pointer: joinPointer(pointer, 'patternProperties', name) };
}

/** Builds a pattern, or says why it cannot be used; null: it can. */
export function schemaPatternProblem(
  pattern: string,
  budget: BuildBudget,
): PatternError | 'too_complex' | null {
  try {
    if (!budget.spendOnce(pattern, weightOfSchemaPattern(pattern))) return 'too_complex';
    linearSchemaPattern(pattern);
    return null;
  } catch (error) {
    if (error instanceof PatternError) return error;
    throw error;
  }
}
