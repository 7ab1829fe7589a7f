// A text that is the same for equal values, whatever the order of their names, made at the expense of the validation's steps.
import type { Json, JsonObject } from '../../json.ts';
import { spendSteps } from './steps.ts';

/** Steps of an element, and of a name; characters take a quarter each. */
const ELEMENT_STEPS = 35;
const NAME_STEPS = 80;

export function isScalar(value: Json): boolean {
  return typeof value !== 'object' || value === null;
}

export function canonicalKey(value: Json): string {
  spendSteps(ELEMENT_STEPS);
  if (typeof value === 'string') {
    spendSteps(value.length >> 2);
    return JSON.stringify(value);
  }
  if (isScalar(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalKey).join(',')}]`;
  const object = value as JsonObject;
  const names = Object.keys(object);
  spendSteps(NAME_STEPS * names.length);
  const members = names.sort().map((name) => {
    spendSteps(name.length >> 2);
    return `${JSON.stringify(name)}:${canonicalKey(object[name]!)}`;
  });
  return `{${members.join(',')}}`;
}
