// The input of a number: what is sent as the n-th of a seed, always the same.
import * as fc from 'fast-check';
import { answerInputs } from './answers.ts';
import { bodyInputs } from './bodies.ts';
import { definitionInputs } from './definitions.ts';
import { callbackInputs, deliveryInputs, scheduleInputs } from './deliveries.ts';
import { expressionInputs } from './expressions.ts';
import { type Input, KINDS, type Kind, type Surroundings } from './input.ts';
import { schemaInputs } from './schemas.ts';
import type { Arb } from './texts.ts';

function inputsOf(kind: Kind, n: number, surroundings: Surroundings): Arb<Input> {
  switch (kind) {
    case 'schema':
      return schemaInputs(n);
    case 'expression':
      return expressionInputs(n);
    case 'definition':
      return definitionInputs(n);
    case 'body':
      return bodyInputs(surroundings);
    case 'delivery':
      return deliveryInputs(surroundings);
    case 'callback':
      return callbackInputs(n);
    case 'schedule':
      return scheduleInputs(n, surroundings);
    case 'answer':
      return answerInputs(n);
  }
}

/** Kinds take turns; bodies have two, since there are so many routes. */
const TURNS: readonly Kind[] = [...KINDS, 'body'];

/** Of one input, or of one answer, of a run. */
export const seedOf = (seed: number, n: number): number =>
  (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n + 1, 0xc2b2ae35)) | 0;

export function inputOf(seed: number, n: number, surroundings: Surroundings): Input {
  const kind = TURNS[n % TURNS.length]!;
  return fc.sample(inputsOf(kind, n, surroundings), { seed: seedOf(seed, n), numRuns: 1 })[0]!;
}
