// The steps of a validation: a schema and a value that are small each may take hours together, so that what is done is
// counted and ends. Validations are synchronous, so that one meter serves them all.

import type { ErrorObject } from 'ajv';

/** Steps of one validation. One is about 10 ns of work, so a validation ends within about 0.3 s. */
export const MAX_VALIDATION_STEPS = 30_000_000;

/** What each node of a definition adds: for its config. */
const STEPS_OF_NODE = 1_500;

/** What several validations may take together: those of one document, say. */
export class ValidationBudget {
  left: number;

  constructor(steps: number = MAX_VALIDATION_STEPS) {
    this.left = steps;
  }

  static ofDocument(nodes: number): ValidationBudget {
    return new ValidationBudget(MAX_VALIDATION_STEPS + nodes * STEPS_OF_NODE);
  }
}

/** Thrown by a validation whose steps are used up. */
export class StepsUsedUp extends Error {}

/** Thrown by a validation that has found enough. */
export class EnoughErrors extends Error {
  readonly errors: readonly ErrorObject[];
  constructor(errors: readonly ErrorObject[]) {
    super('enough errors');
    this.errors = errors;
  }
}

/** Of the validation that runs. Compiled schemas write to it. */
export const meter = {
  /** Steps. */
  left: Number.POSITIVE_INFINITY,
  /** Errors of the function that runs, when they were counted last. */
  errors: 0,
  /** Calls that are a branch, or within one: their errors decide nothing yet. */
  branches: 0,
  /** More errors than these end it. */
  mostErrors: 0,
};

/** Takes steps; what is about to be done must be paid before. */
export function spendSteps(steps: number): void {
  meter.left -= steps;
  if (meter.left < 0) throwUsedUp();
}

export function throwUsedUp(): never {
  throw new StepsUsedUp();
}

export function throwEnough(errors: readonly ErrorObject[]): never {
  throw new EnoughErrors(errors);
}

/** Runs one validation with what the budget has left, at most so many steps, and up to an error beyond so many. */
export function countSteps<T>(
  budget: ValidationBudget,
  most: { readonly steps: number; readonly errors: number },
  validate: () => T,
): T {
  const outer = meter.left;
  const given = Math.min(budget.left, most.steps);
  Object.assign(meter, { left: given, errors: 0, branches: 0, mostErrors: most.errors });
  try {
    return validate();
  } finally {
    // What was refused was not done.
    budget.left -= given - Math.max(0, meter.left);
    meter.left = outer;
  }
}
