// What evaluating may cost: a number of steps, for one evaluation or for all that are made over one scope.
import { ExpressionError } from './errors.ts';
import { MAX_STEPS } from './limits.ts';

/**
 * Steps that are left. A scope that carries a budget (scope.ts, STEP_BUDGET) shares it among all of its evaluations: the cases
 * of a condition, the elements of an aggregation and the filters of a webhook follow each other without a pause.
 */
export class EvaluationBudget {
  #left = MAX_STEPS;

  take(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0)
      throw new ExpressionError('expression', 'the expression takes too many steps on this data');
  }
}
