// Documents for these tests, and what validation says of them in short form.
import { type ValidationOptions, validateDefinition } from '../../../src/core/definition/validate.ts';

export type Doc = Record<string, unknown>;

/** A transformation. */
export function task(taskId: string, dependsOn: unknown[] = [], more: Doc = {}): Doc {
  return { taskId, taskType: 'transformation', dependsOn, config: { output: 1 }, ...more };
}

/** A transformation with this output. */
export function reads(taskId: string, output: unknown, ...dependsOn: unknown[]): Doc {
  return task(taskId, dependsOn, { config: { output } });
}

/** A condition with branches a and b. */
export function gate(taskId: string, ...dependsOn: unknown[]): Doc {
  const config = { cases: [{ when: '$.input.x > 1', branch: 'a' }], default: 'b' };
  return { taskId, taskType: 'condition', dependsOn, config };
}

export function typed(taskId: string, taskType: string, config: Doc, more: Doc = {}): Doc {
  return { taskId, taskType, config, ...more };
}

export function workflow(nodes: unknown, more: Doc = {}): Doc {
  return { workflowId: 'w', nodes, ...more };
}

/** `/pointer code` of each problem. */
export function problemsOf(document: unknown, options?: ValidationOptions): string[] {
  const result = validateDefinition(document, options);
  return result.ok ? [] : result.problems.map(({ pointer, code }) => `${pointer} ${code}`);
}

/** `/pointer code` of each warning. */
export function warningsOf(document: unknown, options?: ValidationOptions): string[] {
  const result = validateDefinition(document, options);
  return (result.ok ? result.value.warnings : result.warnings).map(
    ({ pointer, code }) => `${pointer} ${code}`,
  );
}

/** The valid definition; throws with the problems otherwise. */
export function valid(document: unknown, options?: ValidationOptions) {
  const result = validateDefinition(document, options);
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 1));
  return result.value;
}

/** `[pointer, hint]` of each problem. */
export function hintsOf(document: unknown): [string, string | undefined][] {
  const result = validateDefinition(document);
  return result.ok ? [] : result.problems.map(({ pointer, hint }) => [pointer, hint]);
}
