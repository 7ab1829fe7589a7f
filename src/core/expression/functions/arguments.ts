// The arguments of one function call, read with their types; every complaint names function, position and what came.
import type { Json, JsonObject } from '../../json.ts';
import { isJsonObject } from '../../json.ts';
import { ExpressionError } from '../errors.ts';
import type { Evaluation } from '../evaluation.ts';
import { typeName } from '../values.ts';

export class Arguments {
  readonly evaluation: Evaluation;
  /** 0-based character of the call in its text. */
  readonly at: number;
  readonly values: readonly Json[];
  readonly #name: string;

  constructor(evaluation: Evaluation, name: string, values: readonly Json[], at: number) {
    this.evaluation = evaluation;
    this.#name = name;
    this.values = values;
    this.at = at;
  }

  get count(): number {
    return this.values.length;
  }

  value(i: number): Json {
    return this.values[i] ?? null;
  }

  /** Fails with what argument `i` (from 0) should have been. */
  refuse(i: number, expected: string): never {
    const came = typeName(this.values[i]);
    const advice = came === 'null' ? '; use ?? to say what to take when it is missing' : '';
    return this.fail(`argument ${i + 1} must be ${expected}, got ${came}${advice}`);
  }

  fail(message: string): never {
    throw new ExpressionError('expression', `${this.#name}(): ${message}`);
  }

  text(i: number): string {
    const value = this.value(i);
    return typeof value === 'string' ? value : this.refuse(i, 'a string');
  }

  number(i: number): number {
    const value = this.value(i);
    return typeof value === 'number' ? value : this.refuse(i, 'a number');
  }

  /** A whole number from `least` to `most`; `fallback` where the argument was not given. */
  integer(i: number, least: number, most: number, fallback?: number): number {
    if (i >= this.count && fallback !== undefined) return fallback;
    const value = this.number(i);
    if (!Number.isInteger(value) || value < least || value > most)
      return this.fail(`argument ${i + 1} must be a whole number from ${least} to ${most}`);
    return value;
  }

  list(i: number): readonly Json[] {
    const value = this.value(i);
    if (!Array.isArray(value)) return this.refuse(i, 'an array');
    // Four steps an element: what a function builds from a list is about as large.
    this.evaluation.charge(value.length * 4);
    return value as readonly Json[];
  }

  object(i: number): JsonObject {
    const value = this.value(i);
    return isJsonObject(value) ? value : this.refuse(i, 'an object');
  }

  /** One list of numbers, or the arguments themselves. */
  numbers(): number[] {
    const isList = this.count === 1 && Array.isArray(this.value(0));
    const values = isList ? this.list(0) : this.values;
    return values.map((value, i) => {
      if (typeof value === 'number') return value;
      return isList
        ? this.fail(`argument 1 must be an array of numbers, got ${typeName(value)} at [${i}]`)
        : this.refuse(i, 'a number or one array of numbers');
    });
  }
}
