// All that this release knows of and refuses, so that nothing is accepted and then ignored. Validation, the scope of expressions and
// the API read it; whoever builds a feature deletes its line, and what does not compile then is where the feature goes. Each line
// carries a smallest example, which a test finds refused (test/core/definition/not-supported.test.ts, test/http/not-supported.test.ts).

import type { Problem } from './errors.ts';
import type { JsonObject } from './json.ts';

/** What is refused, in a definition of one task `a` (a transformation, unless `node` says otherwise). */
interface DefinitionExample {
  readonly definition?: JsonObject;
  readonly node?: JsonObject;
  /** Where it is refused. */
  readonly pointer: string;
}

/** What its author reads: `${what} is not supported in this release`. */
interface Refused {
  readonly what: string;
  readonly hint?: string;
  readonly example: DefinitionExample;
}

export type NotSupported =
  /** A field of a definition or a node; `description` is for the schema that editors read. */
  | (Refused & { readonly place: 'field'; readonly description: string })
  | (Refused & { readonly place: 'taskType'; readonly taskType: string })
  | (Refused & { readonly place: 'config'; readonly taskType: string; readonly field: string })
  /** A name of the scope, or one below it. */
  | (Refused & { readonly place: 'scope'; readonly path: readonly [string, ...string[]] })
  /** A way of using what is built. */
  | (Refused & { readonly place: 'use' })
  /** A field of a start's body. */
  | {
      readonly place: 'start';
      readonly field: string;
      readonly message: string;
      readonly example: { readonly body: JsonObject; readonly pointer: string };
    };

export const NOT_SUPPORTED = {
  budget: {
    place: 'field',
    what: 'budget',
    description: 'Limits the cost.',
    example: { definition: { budget: { maxCostUsd: '1' } }, pointer: '/budget' },
  },
  concurrency: {
    place: 'field',
    what: 'concurrency',
    description: 'Limits executions of one key.',
    example: { definition: { concurrency: { key: 'x', limit: 1 } }, pointer: '/concurrency' },
  },
  onFailure: {
    place: 'field',
    what: 'onFailure',
    description: 'A task that runs after a failed execution.',
    example: { definition: { onFailure: { taskType: 'fail' } }, pointer: '/onFailure' },
  },
  finally: {
    place: 'field',
    what: 'finally',
    description: 'A task that runs after every execution.',
    example: { definition: { finally: { taskType: 'fail' } }, pointer: '/finally' },
  },
  tests: {
    place: 'field',
    what: 'tests',
    description: 'Tests kept with the file.',
    example: { definition: { tests: [] }, pointer: '/tests' },
  },
  compensate: {
    place: 'field',
    what: 'compensate',
    description: 'Undoes the task when the execution fails.',
    example: { node: { compensate: {} }, pointer: '/nodes/0/compensate' },
  },
  subWorkflow: {
    place: 'taskType',
    taskType: 'sub_workflow',
    what: 'the type "sub_workflow"',
    example: { node: { taskType: 'sub_workflow', config: {} }, pointer: '/nodes/0/taskType' },
  },
  jsonata: {
    place: 'config',
    taskType: 'transformation',
    field: 'jsonata',
    what: 'transformation with "jsonata"',
    example: { node: { config: { jsonata: '1' } }, pointer: '/nodes/0/config/jsonata' },
  },
  candidates: {
    place: 'config',
    taskType: 'model_inference',
    field: 'candidates',
    what: 'model_inference with "candidates"',
    example: {
      node: {
        taskType: 'model_inference',
        modelId: 'simulated/x',
        config: { prompt: 'x', candidates: [] },
      },
      pointer: '/nodes/0/config/candidates',
    },
  },
  autoModel: {
    place: 'use',
    what: 'the model "auto"',
    hint: 'name a model: provider/name',
    example: {
      node: { taskType: 'model_inference', modelId: 'auto', config: { prompt: 'x' } },
      pointer: '/nodes/0/modelId',
    },
  },
  parallelInParallel: {
    place: 'use',
    what: 'a parallel inside a parallel',
    example: {
      node: {
        taskType: 'parallel',
        config: {
          branches: {
            x: {
              taskType: 'parallel',
              config: { branches: { y: { taskType: 'transformation', config: { output: 1 } } } },
            },
          },
        },
      },
      pointer: '/nodes/0/config/branches/x/taskType',
    },
  },
  repeatInParallel: {
    place: 'use',
    what: 'a repeat inside a parallel',
    example: {
      node: {
        taskType: 'parallel',
        config: {
          branches: {
            x: { taskType: 'transformation', config: { output: 1 }, repeat: { until: 'true' } },
          },
        },
      },
      pointer: '/nodes/0/config/branches/x/repeat',
    },
  },
  budgetOfStart: {
    place: 'start',
    field: 'budget',
    message: 'budgets are not supported yet',
    example: { body: { budget: { maxCostUsd: '1' } }, pointer: '/budget' },
  },
} as const satisfies { readonly [name: string]: NotSupported };

type Line = (typeof NOT_SUPPORTED)[keyof typeof NOT_SUPPORTED];
type InPlace<Place extends NotSupported['place']> = Extract<NotSupported, { place: Place }>;

/** A field of a start's body that is refused. */
export type RefusedStartField = Extract<Line, { place: 'start' }>['field'];

function linesOf<Place extends NotSupported['place']>(place: Place): InPlace<Place>[] {
  const lines: NotSupported[] = Object.values(NOT_SUPPORTED);
  return lines.filter((line): line is InPlace<Place> => line.place === place);
}

const IN_CONFIG = linesOf('config');
const IN_SCOPE = linesOf('scope');
const IN_START = linesOf('start');

/** Code and text of a refusal; a `what` alone is that of a schema's member `x-not-supported`. */
export function refusalOf({ what, hint }: { readonly what: string; readonly hint?: string }) {
  const refusal = { code: 'not_supported' as const, message: `${what} is not supported in this release` };
  return hint === undefined ? refusal : { ...refusal, hint };
}

/** Fields of the config of a type that are refused. */
export function refusedConfigFields(taskType: string): string[] {
  return IN_CONFIG.filter((line) => line.taskType === taskType).map(({ field }) => field);
}

/** The line of such a field, or null. */
export function refusedConfigField(taskType: string, field: string): InPlace<'config'> | null {
  return IN_CONFIG.find((line) => line.taskType === taskType && line.field === field) ?? null;
}

/** The line that refuses to read this of the scope, or null. */
export function refusedRead(root: string, path: readonly unknown[]): InPlace<'scope'> | null {
  const read = [root, ...path];
  return IN_SCOPE.find((line) => line.path.every((name, at) => read[at] === name)) ?? null;
}

/** The fields of a start's body that are refused. */
export const REFUSED_START_FIELDS = IN_START.map(({ field }) => field) as RefusedStartField[];

/** What a start's body has that is refused. */
export function refusedInStart(body: { readonly [field: string]: unknown }): Problem[] {
  return IN_START.filter(({ field }) => body[field] !== undefined).map(({ field, message }) => ({
    pointer: `/${field}`,
    code: 'not_supported',
    message,
  }));
}
