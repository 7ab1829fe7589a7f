// The `format`s of JSON Schema: those of ajv-formats, bounded in length (some of its patterns are not linear), and
// `regex` as `pattern` is understood here.
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { patternProblem } from '../../expression/regex.ts';

/** Longer texts fit no format. */
const MAX_FORMAT_CHARS = 2000;

/** Teaches an Ajv the formats of texts; formats of numbers (int32, double) stay unknown and so hold for all. */
export function addFormats(ajv: Ajv2020): void {
  for (const [name, format] of Object.entries(fullFormats)) {
    const test = textTest(format);
    if (test !== null) ajv.addFormat(name, (text: string) => text.length <= MAX_FORMAT_CHARS && test(text));
  }
  ajv.addFormat('regex', (text: string) => patternProblem(text) === null);
}

function textTest(format: unknown): ((text: string) => boolean) | null {
  if (format instanceof RegExp) return (text) => format.test(text);
  if (typeof format === 'function') return (text) => Boolean(format(text));
  if (typeof format !== 'object' || format === null || !('validate' in format)) return null;
  return 'type' in format && format.type === 'number' ? null : textTest(format.validate);
}
