// A trigger of a definition together with its place, so that what is wrong with it is told where it stands.
import type { Problem } from '../../core/errors.ts';

export interface TriggerPlace<Trigger> {
  /** `/triggers/0`. */
  readonly pointer: string;
  readonly trigger: Trigger;
}

/** Problems of a trigger by itself, as problems of the document. */
export function below(pointer: string, problems: readonly Problem[]): Problem[] {
  return problems.map((problem) => ({ ...problem, pointer: pointer + problem.pointer }));
}
