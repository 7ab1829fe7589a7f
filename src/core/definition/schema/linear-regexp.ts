// The `pattern` of JSON Schema through RE2: linear in the text, bounded in the pattern.
import { linearSchemaPattern } from '../../expression/linear-pattern.ts';
import { spendSteps } from './steps.ts';

/** A step of an expression is 25 ns, one of a validation 10. */
const STEPS_OF_EVALUATION = 2.5;

/** For Ajv's `code.regExp`. Throws, with the reason, on a pattern that RE2 does not know or that is too large. */
export function linearRegExp(pattern: string): RegExp {
  const compiled = linearSchemaPattern(pattern);
  const test = (text: string): boolean => {
    spendSteps(STEPS_OF_EVALUATION * compiled.stepsFor(text.length));
    return compiled.finds(text);
  };
  // Ajv takes two patterns with the same toString for one.
  return { test, toString: () => `/${pattern}/` } as RegExp;
}
// Ajv prints this in standalone code, which we never make; it must be there.
linearRegExp.code = 'linearRegExp';
