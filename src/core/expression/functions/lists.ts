// What the functions over lists, objects and numbers do. Their signatures stand in functions.ts.
import type { Json } from '../../json.ts';
import { isJsonObject } from '../../json.ts';
import { MAX_RANGE } from '../limits.ts';
import { setOwn } from '../scope.ts';
import { canonicalKey, checkedNumber, compareText, namesOf, typeName } from '../values.ts';
import type { Arguments } from './arguments.ts';

const ANY_INDEX = Number.MAX_SAFE_INTEGER;

export function slice(args: Arguments): Json {
  const value = args.value(0);
  if (typeof value !== 'string' && !Array.isArray(value)) return args.refuse(0, 'a string or an array');
  const start = args.integer(1, -ANY_INDEX, ANY_INDEX);
  const end = args.count > 2 ? args.integer(2, -ANY_INDEX, ANY_INDEX) : undefined;
  if (typeof value !== 'string') return args.list(0).slice(start, end);
  args.evaluation.charge(value.length / 4);
  // By characters, as length() counts them: a cut must not leave half of one.
  return /[\uD800-\uDFFF]/.test(value) ? [...value].slice(start, end).join('') : value.slice(start, end);
}

export function lookup(args: Arguments): Json {
  const holder = args.value(0);
  const fallback = args.value(2);
  if (holder === null) return fallback;
  if (Array.isArray(holder)) {
    const index = args.integer(1, -ANY_INDEX, ANY_INDEX);
    return (holder as readonly Json[]).at(index) ?? fallback;
  }
  if (!isJsonObject(holder)) return args.refuse(0, 'an object or an array');
  const name = args.text(1);
  return Object.hasOwn(holder, name) ? (holder[name] ?? fallback) : fallback;
}

export function merge(args: Arguments): Json {
  const isList = args.count === 1 && Array.isArray(args.value(0));
  const objects = isList ? args.list(0) : args.values;
  const merged: Record<string, Json> = {};
  for (const [i, object] of objects.entries()) {
    if (!isJsonObject(object)) {
      if (isList)
        return args.fail(`argument 1 must be an array of objects, got ${typeName(object)} at [${i}]`);
      return args.refuse(i, 'an object');
    }
    const keys = namesOf(args.evaluation, object);
    args.evaluation.charge(keys.length * 8);
    for (const key of keys) setOwn(merged, key, object[key]!);
  }
  return merged;
}

export function concat(args: Arguments): Json {
  if (typeof args.value(0) === 'string') {
    const texts = args.values.map((_, i) => args.text(i));
    args.evaluation.chargeText(texts.reduce((total, text) => total + text.length, 0));
    return texts.join('');
  }
  if (!Array.isArray(args.value(0))) return args.refuse(0, 'an array or a string');
  return args.values.flatMap((_, i) => args.list(i));
}

export function unique(args: Arguments): Json {
  const seen = new Set<string>();
  return args.list(0).filter((element) => {
    const key = canonicalKey(args.evaluation, element);
    return seen.size < seen.add(key).size;
  });
}

export function sort(args: Arguments): Json {
  const list = args.list(0);
  const member = args.count > 1 ? args.text(1) : null;
  const keyed = list.map((element, i) => {
    const key =
      member === null
        ? element
        : isJsonObject(element) && Object.hasOwn(element, member)
          ? element[member]!
          : args.fail(`argument 1 has no "${member}" at [${i}]`);
    return { element, key };
  });
  const type = typeName(keyed[0]?.key);
  let characters = 0;
  keyed.forEach(({ key }, i) => {
    if ((typeof key !== 'number' && typeof key !== 'string') || typeName(key) !== type)
      args.fail(
        `argument 1 must hold only numbers or only strings to sort by, got ${typeName(key)} at [${i}]`,
      );
    if (typeof key === 'string') characters += key.length;
  });
  const rounds = Math.ceil(Math.log2(keyed.length + 2));
  args.evaluation.charge(rounds * (keyed.length + characters / 16));
  keyed.sort(({ key: a }, { key: b }) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : compareText(String(a), String(b)),
  );
  return keyed.map(({ element }) => element);
}

export function chunk(args: Arguments): Json {
  const list = args.list(0);
  const size = args.integer(1, 1, ANY_INDEX);
  const chunks: Json[] = [];
  for (let i = 0; i < list.length; i += size) chunks.push(list.slice(i, i + size));
  return chunks;
}

export function range(args: Arguments): Json {
  const isOnlyEnd = args.count === 1;
  const start = isOnlyEnd ? 0 : args.integer(0, -ANY_INDEX, ANY_INDEX);
  const end = args.integer(isOnlyEnd ? 0 : 1, -ANY_INDEX, ANY_INDEX);
  const step = args.integer(2, -ANY_INDEX, ANY_INDEX, 1);
  if (step === 0) return args.fail('argument 3 must not be 0');
  const size = Math.max(0, Math.ceil((end - start) / step));
  if (size > MAX_RANGE) return args.fail(`gives ${size} elements; the limit is ${MAX_RANGE}`);
  args.evaluation.charge(size * 4);
  return Array.from({ length: size }, (_, i) => start + i * step);
}

export function extreme(args: Arguments, isBetter: (candidate: number, best: number) => boolean): number {
  const numbers = args.numbers();
  if (numbers.length === 0) return args.fail('argument 1 is an empty array');
  return numbers.reduce((best, candidate) => (isBetter(candidate, best) ? candidate : best));
}

export function round(args: Arguments): number {
  const value = args.number(0);
  args.evaluation.charge(10);
  const digits = args.integer(1, -15, 15, 0);
  // Shifting by the decimal exponent keeps 1.005 what it says; multiplying by 100 would make it 100.49999999999999.
  const shifted = Math.round(Number(shift(Math.abs(value), digits)));
  return checkedNumber(Math.sign(value) * Number(shift(shifted, -digits)), 'round()');
}

function shift(value: number, digits: number): string {
  const [mantissa, exponent] = String(value).split('e');
  return `${mantissa}e${Number(exponent ?? 0) + digits}`;
}
