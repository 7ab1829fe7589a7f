// The `format`s of JSON Schema: those of ajv-formats, bounded in length (some of its patterns are not linear), and
// `regex` as `pattern` is understood here.
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { costOfBuilding } from '../../expression/linear-pattern.ts';
import { patternProblem } from '../../expression/regex.ts';

/** Longer texts fit no format. */
const MAX_FORMAT_CHARS = 2000;
/** Steps of a text of n characters: 10 + n + n² / QUADRATIC. */
const QUADRATIC = 16;

/**
 * Teaches an Ajv the formats of texts; formats of numbers (int32, double) stay unknown and so hold for all. `spend` takes the
 * steps of a test before it is made.
 */
export function addFormats(ajv: Ajv2020, spend: (steps: number) => void = () => undefined): void {
  for (const [name, format] of Object.entries(fullFormats)) {
    const test = textTest(format);
    if (test === null) continue;
    ajv.addFormat(name, (text: string) => {
      if (text.length > MAX_FORMAT_CHARS) return false;
      spend(10 + text.length + Math.floor(text.length ** 2 / QUADRATIC));
      return test(text);
    });
  }
  ajv.addFormat('regex', (text: string) => {
    if (text.length > MAX_FORMAT_CHARS) return false;
    spend(100 * buildingCost(text));
    return patternProblem(text) === null;
  });
}

function textTest(format: unknown): ((text: string) => boolean) | null {
  if (format instanceof RegExp) return (text) => format.test(text);
  if (typeof format === 'function') return (text) => Boolean(format(text));
  if (typeof format !== 'object' || format === null || !('validate' in format)) return null;
  return 'type' in format && format.type === 'number' ? null : textTest(format.validate);
}

function buildingCost(pattern: string): number {
  try {
    return costOfBuilding(pattern);
  } catch {
    // It is refused as it stands.
    return 1;
  }
}
