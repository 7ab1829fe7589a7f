// What JSON.stringify would quietly make something else of. An author who returns it must hear of it: a Map stored as {} is a
// result that is gone.
//   L1  Refused: collections, typed arrays, buffers, promises, regular expressions, errors, boxed values, and any other object
//       of a class that shows nothing; members named by symbols.
//   L2  Kept: what `toJSON` makes of a value (Date, URL, Buffer); the members that an object of a class shows, its getters too.
//       Its methods, and names that an array has besides its elements, are no data.
import { types } from 'node:util';

const BUILT_IN: readonly (readonly [is: (value: unknown) => boolean, what: string, advice?: string])[] = [
  [types.isMap, 'a Map', 'Object.fromEntries(map)'],
  [types.isSet, 'a Set', '[...set]'],
  [types.isTypedArray, 'a typed array', 'Array.from(array), or text in base64'],
  [types.isDataView, 'a DataView'],
  [types.isAnyArrayBuffer, 'an ArrayBuffer', 'text in base64'],
  [types.isPromise, 'a promise that was not awaited'],
  [types.isRegExp, 'a regular expression', 'its source'],
  [types.isNativeError, 'an error', 'its message, or throw it'],
  [types.isBoxedPrimitive, 'a boxed value', 'the value itself'],
  [types.isWeakMap, 'a WeakMap'],
  [types.isWeakSet, 'a WeakSet'],
];

/** What the object is, where JSON would lose it; null where it would not. Its elements and members are not looked at. */
export function lossOf(value: object): string | null {
  if (Array.isArray(value)) return null;
  const symbols = Object.getOwnPropertySymbols(value);
  if (symbols.length > 0 && symbols.some((name) => Object.prototype.propertyIsEnumerable.call(value, name)))
    return 'an object with members that are named by symbols, which JSON does not have';
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return null;
  for (const [is, what, advice] of BUILT_IN)
    if (is(value)) return `${what}, which JSON does not have${advice === undefined ? '' : `; use ${advice}`}`;
  if (Object.keys(value).length > 0 || isPlainOfAnotherRealm(prototype)) return null;
  return `an object of class "${nameOf(value)}" without members that JSON would keep`;
}

/** An empty object made in another context (`vm`) is still an empty object. */
function isPlainOfAnotherRealm(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty');
}

function nameOf(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' ? name.slice(0, 80) : '';
}
