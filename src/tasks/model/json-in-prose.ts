// JSON objects and lists that stand in a text of words, as some models answer in spite of what they were asked.
import { readJson } from '../../core/definition/reading/json-reader.ts';
import { MAX_VALUE_BYTES } from '../../core/json.ts';
import { collectLongNumbers } from '../../core/long-numbers.ts';

/** Places where one may begin that are tried: a text of brackets costs no more than that many looks at it. */
const MAX_STARTS = 20;

/** In order, none within another. None of a text that is larger than what an output may be. */
export function findJsonTexts(text: string): string[] {
  const found: string[] = [];
  if (text.length > MAX_VALUE_BYTES) return found;
  let at = 0;
  for (let starts = 0; starts < MAX_STARTS; starts++) {
    const start = text.slice(at).search(/[{[]/);
    if (start < 0) break;
    at += start;
    const end = endOfValue(text, at);
    const json = end === null ? null : text.slice(at, end);
    const isJson = json !== null && readJson(json, collectLongNumbers().rules).ok;
    if (isJson) found.push(json);
    at = isJson ? at + json.length : at + 1;
  }
  return found;
}

/** Where the bracket at `start` is closed; null: nowhere. */
function endOfValue(text: string, start: number): number | null {
  let depth = 0;
  let isInString = false;
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (isInString) {
      if (char === '\\') i++;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') {
      depth--;
      if (depth === 0) return i + 1;
    }
  }
  return null;
}
