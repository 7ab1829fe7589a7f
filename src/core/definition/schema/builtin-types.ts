// The rules of every task type of CONTRACT 3, one entry per type. What this release does not build stands in core/not-supported.ts.
import { STRATEGIES } from '../../aggregate.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { NOT_SUPPORTED, refusedConfigFields } from '../../not-supported.ts';
import { EXTERNAL_API } from '../checks/external-api-rule.ts';
import { MODEL_INFERENCE } from '../checks/model-rule.ts';
import { HUMAN_REVIEW } from '../checks/review-rule.ts';
import { shapeOf } from '../checks/shape.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { anything, closed, outputOf, text } from './config-schema.ts';

const MAX_SECONDS = 315_360_000;
const open: JsonObject = { type: 'object' };

const errorFields = {
  code: {
    type: 'string',
    pattern: '^[A-Za-z][A-Za-z0-9_.]{0,99}$',
    'x-hint': 'letters, digits, "_" and ".", beginning with a letter',
    description: 'Error code.',
  },
  message: text('Error message.'),
  details: anything('Any JSON, kept with the error.'),
} satisfies JsonObject;

const RULES: readonly TaskTypeRule[] = [
  {
    type: 'transformation',
    status: 'built',
    configSchema: closed({
      output: anything('A mapping: any JSON with templates; its value is the output.'),
    }),
    exactlyOneOf: [['output', 'jsonata']],
    outputSchema: (config) => (config.output === undefined ? null : shapeOf(config.output)),
  },
  {
    type: 'condition',
    status: 'built',
    configSchema: closed({
      value: text('An expression; its text is the branch. The branches are those that edges name.'),
      cases: {
        type: 'array',
        minItems: 1,
        items: closed(
          {
            when: anything('A condition.'),
            branch: { type: 'string', minLength: 1, description: 'Its branch.' },
          },
          ['when', 'branch'],
        ),
        description: 'The first case whose `when` holds gives the branch.',
      },
      default: {
        type: ['string', 'null'],
        description: 'The branch where nothing matches; null: none. Absent: the error no_branch.',
      },
      expression: anything('A condition; the branch is "true" or "false".'),
    }),
    fields: {
      value: 'expression',
      'cases/*/when': 'condition',
      'cases/*/branch': 'literal',
      default: 'literal',
      expression: 'condition',
    },
    exactlyOneOf: [['value', 'cases', 'expression']],
    atMostOneOf: [['default', 'expression']],
    branchNames: conditionBranches,
    outputSchema: () => outputOf('branch', 'value', 'missing'),
  },
  {
    type: 'parallel',
    status: 'built',
    configSchema: {
      dependentRequired: { items: ['task'], task: ['items'] },
      ...closed({
        branches: {
          type: 'object',
          minProperties: 1,
          maxProperties: 10_000,
          description: 'Named tasks (nodes without taskId) that run beside each other.',
        },
        items: {
          type: 'array',
          description: 'The list (or a template that gives one); `task` runs once for each element.',
        },
        task: { type: 'object', description: 'A node without taskId; sees `item` and `index`.' },
        maxConcurrency: {
          type: 'integer',
          minimum: 1,
          maximum: 10_000,
          default: 10,
          description: 'Parts that run at the same time.',
        },
        toleratedFailureCount: {
          type: 'integer',
          minimum: 0,
          default: 0,
          description: 'Failed parts allowed.',
        },
        toleratedFailurePercentage: {
          type: 'number',
          minimum: 0,
          maximum: 100,
          default: 0,
          description: 'Failed parts allowed, in percent of all.',
        },
        minSuccesses: {
          type: 'integer',
          minimum: 1,
          description: 'Completes at so many successes and cancels the rest.',
        },
      }),
    },
    fields: { 'branches/*': 'node', task: 'item' },
    exactlyOneOf: [['branches', 'items']],
    atMostOneOf: [['branches', 'task']],
    branchNames: (config) =>
      isJsonObject(config.branches) && config.minSuccesses === 1 ? Object.keys(config.branches) : null,
    outputSchema: (config) =>
      isJsonObject(config.branches) ? outputOf(...Object.keys(config.branches)) : { type: 'array' },
  },
  {
    type: 'aggregation',
    status: 'built',
    configSchema: closed(
      {
        strategy: { enum: STRATEGIES, description: 'How the values become one.' },
        source: anything("The values; default: completed parents' outputs in dependsOn order."),
        path: text(
          'What of each element counts: `$.score`, where `$` is the element, or an expression that sees `item`.',
        ),
        weights: {
          type: ['object', 'array', 'string'],
          description: 'For votes: as in path; or a list by position, or an object by taskId or branch.',
        },
        by: text('For best: what is compared, as in path.'),
        order: { enum: ['desc', 'asc'], default: 'desc', description: 'For best: desc takes the greatest.' },
        min: {
          type: 'integer',
          minimum: 1,
          description: 'Values needed; fewer is not_enough_values or quorum_not_reached.',
        },
      },
      ['strategy'],
    ),
    fields: { strategy: 'literal', order: 'literal', path: 'element', by: 'element', weights: 'weights' },
  },
  {
    type: 'wait',
    status: 'built',
    configSchema: closed({
      seconds: { type: 'number', minimum: 0, maximum: MAX_SECONDS, description: 'How long, in seconds.' },
      until: { type: 'string', format: 'date-time', description: 'An instant, ISO 8601 with its offset.' },
    }),
    exactlyOneOf: [['seconds', 'until', 'signal']],
    waitSeconds: (config) => (typeof config.seconds === 'number' ? config.seconds : null),
    outputSchema: () => outputOf('firedAt', 'signal', 'payload'),
  },
  { type: 'fail', status: 'built', configSchema: closed(errorFields), neverCompletes: true },
  {
    type: 'terminate',
    status: 'built',
    configSchema: closed({
      ...errorFields,
      status: { enum: ['completed', 'failed', 'cancelled'], description: 'The end of the execution.' },
      output: anything('The output of the execution.'),
    }),
    neverCompletes: true,
  },
  MODEL_INFERENCE,
  EXTERNAL_API,
  HUMAN_REVIEW,
  { type: NOT_SUPPORTED.subWorkflow.taskType, status: 'not_supported', configSchema: open },
];

/** By type name. */
export const BUILTIN_TASK_TYPES: ReadonlyMap<string, TaskTypeRule> = new Map(
  RULES.map((rule) => [rule.type, { ...rule, notSupported: refusedConfigFields(rule.type) }]),
);

function conditionBranches(config: JsonObject): readonly string[] | 'any' {
  if (config.cases !== undefined) {
    const cases: readonly Json[] = Array.isArray(config.cases) ? config.cases : [];
    const named = cases.flatMap((one) =>
      isJsonObject(one) && typeof one.branch === 'string' ? [one.branch] : [],
    );
    return [...new Set(typeof config.default === 'string' ? [...named, config.default] : named)];
  }
  return config.expression !== undefined && config.value === undefined ? ['true', 'false'] : 'any';
}
