// The rules of every task type of CONTRACT 3, one entry per type. What this release does not build stands in core/not-supported.ts.
import { STRATEGIES } from '../../aggregate.ts';
import type { Problem } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { NOT_SUPPORTED, refusedConfigFields } from '../../not-supported.ts';
import { MAX_SIGNAL_NAMES, SIGNAL_NAME } from '../../signal.ts';
import { EXTERNAL_API } from '../checks/external-api-rule.ts';
import { MODEL_INFERENCE } from '../checks/model-rule.ts';
import { HUMAN_REVIEW } from '../checks/review-rule.ts';
import { shapeOf } from '../checks/shape.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { anything, closed, outputOf, text } from './config-schema.ts';

const MAX_SECONDS = 315_360_000;
const open: JsonObject = { type: 'object' };
const signalName = { pattern: SIGNAL_NAME.pattern.source, 'x-hint': SIGNAL_NAME.expected };

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
        batchSize: {
          ...closed({
            count: { type: 'integer', minimum: 1, description: 'Items in a part, at most.' },
            bytes: { type: 'integer', minimum: 1, description: 'Bytes of a part as JSON, at most.' },
          }),
          type: ['integer', 'object'],
          minimum: 1,
          minProperties: 1,
          description:
            'Parts of several items: so many, or `{ count, bytes }` at most; `item` is then the list of them, and a larger item is a part of its own.',
          examples: [25, { count: 100, bytes: 200_000 }],
        },
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
    atMostOneOf: [
      ['branches', 'task'],
      ['branches', 'batchSize'],
    ],
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
      signal: {
        type: ['string', 'array'],
        ...signalName,
        items: { type: 'string', ...signalName },
        minItems: 1,
        maxItems: MAX_SIGNAL_NAMES,
        description: 'The name of a signal, or several: the first of them to come ends the wait.',
      },
      when: anything('A condition that a signal must meet to end the wait; sees its `payload` and `signal`.'),
      timeoutSeconds: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: MAX_SECONDS,
        default: MAX_SECONDS,
        description: 'The wait for a signal fails with `timeout` after so long.',
      },
    }),
    fields: { when: 'arrival' },
    exactlyOneOf: [['seconds', 'until', 'signal']],
    problems: signalProblems,
    waitSeconds: (config) => (typeof config.seconds === 'number' ? config.seconds : null),
    waitsForOutside: (config) => config.signal !== undefined,
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

/** What belongs to a wait for a signal alone. */
function signalProblems(config: JsonObject): Problem[] {
  if (config.signal !== undefined) return [];
  return ['when', 'timeoutSeconds']
    .filter((field) => config[field] !== undefined)
    .map((field) => ({
      pointer: `/${field}`,
      code: 'conflict' as const,
      message: `${field} is for a wait for a signal`,
      hint: 'config.signal names the signal',
    }));
}

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
