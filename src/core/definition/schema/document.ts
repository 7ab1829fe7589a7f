// The JSON Schema (2020-12) of a workflow definition: validation checks structure by it, editors get it from
// `dagwright schema`. The structure is written here and nowhere else; config of each type comes from its rule.
// Longer than most files, since it is one table: what refers to a part of the structure finds it above.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { NOT_SUPPORTED } from '../../not-supported.ts';
import {
  EDGE_CONDITIONS,
  FAILURE_POLICIES,
  MAX_CATEGORY_CHARS,
  MAX_MODEL_ID,
  TRIGGER_RULES,
} from '../model.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { WORKFLOW_ID } from '../workflow-id.ts';
import { BUILTIN_TASK_TYPES } from './builtin-types.ts';
import { closedObject } from './closed-object.ts';
import { MAX_TRIGGERS, TRIGGER } from './trigger-schema.ts';

/** Ten years: longer is a mistake. */
export const MAX_SECONDS = 315_360_000;

const seconds = (description: string, more: JsonObject = {}): JsonObject => ({
  type: 'number',
  exclusiveMinimum: 0,
  maximum: MAX_SECONDS,
  description: `${description} In seconds; fractions allowed.`,
  ...more,
});
const notSupported = ({ what, description }: { what: string; description: string }): JsonObject => ({
  not: {},
  'x-not-supported': what,
  description: `${description} Not supported in this release.`,
});
const errorPatterns = (description: string): JsonObject => ({
  type: 'array',
  maxItems: 200,
  items: { type: 'string' },
  description,
  examples: [['timeout', 'http_5xx', '*']],
});
const mapping = (description: string): JsonObject => ({
  description: `${description} Any JSON; texts may hold {{ templates }}.`,
});

const TASK_ID: JsonObject = {
  type: 'string',
  pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,99}$',
  'x-hint': 'letters, digits, "_" and "-", beginning with a letter or "_", at most 100',
  description: 'Name of the task, unique in the definition.',
  examples: ['plan'],
};

const RETRY = closedObject({
  maxAttempts: {
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    default: 4,
    description: 'Tries in all, the first one counted.',
  },
  initialIntervalSeconds: {
    type: 'number',
    minimum: 0,
    maximum: MAX_SECONDS,
    default: 1,
    description: 'Delay before the second try, in seconds.',
  },
  backoffCoefficient: {
    type: 'number',
    minimum: 1,
    maximum: 100,
    default: 2,
    description: 'Each delay is so many times the one before.',
  },
  maxIntervalSeconds: {
    type: 'number',
    minimum: 0,
    maximum: MAX_SECONDS,
    default: 60,
    description: 'Longest delay, in seconds.',
  },
  jitter: { enum: ['full', 'none'], default: 'full', description: 'full: a random part of the delay.' },
  retryOn: errorPatterns('Codes that are retried. Default: the transient ones.'),
  nonRetryableErrors: errorPatterns('Codes that are never retried.'),
});
/** Of the policies of one task. */
const MAX_POLICIES = 20;
const REPEAT = closedObject(
  {
    until: {
      description: 'A condition; sees the output of the round as $.output. Where it holds, the loop is over.',
      examples: ["$.output.body.status == 'done'"],
    },
    maxIterations: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 100,
      description: 'Rounds at most.',
    },
    delaySeconds: {
      type: 'number',
      minimum: 0,
      maximum: MAX_SECONDS,
      default: 0,
      description: 'Between the end of a round and the next, in seconds.',
    },
    onLimit: {
      enum: ['fail', 'complete'],
      default: 'fail',
      description: 'Where `until` never held: the error loop_limit, or as if it had.',
    },
    collect: {
      description:
        "What each round adds to the output, arrays joined; sees its output as $.output. Absent: the output is the last round's.",
      examples: ['$.output.body.items'],
    },
    stopWhenSame: {
      type: 'integer',
      minimum: 2,
      maximum: 100,
      description: 'So many rounds in a row with the same output are the limit too.',
    },
  },
  ['until'],
);
const RETRY_OR_LIST: JsonObject = {
  if: { type: 'array' },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { minItems: 1, maxItems: MAX_POLICIES, items: { $ref: '#/$defs/retry' } },
  else: { $ref: '#/$defs/retry' },
  description: 'A policy, or a list of them: the first whose `retryOn` matches decides.',
  examples: [{ maxAttempts: 6 }],
};

/** Thirty days. */
const MAX_CACHE_SECONDS = 2_592_000;
const CACHE: JsonObject = {
  ...closedObject(
    {
      ttlSeconds: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: MAX_CACHE_SECONDS,
        description: 'How long an output may be used again.',
      },
      key: {
        description:
          'What must be equal for that, beside the task itself. Default: type, model, config and input. Any JSON; texts may hold {{ templates }}.',
        examples: ['{{ input.url }}'],
      },
    },
    ['ttlSeconds'],
  ),
  description: 'An earlier output of the same is taken in place of the work, at no cost.',
};

const DEPENDENCY = closedObject(
  {
    taskId: TASK_ID,
    on: {
      enum: EDGE_CONDITIONS,
      default: 'success',
      description: 'Which end of the parent this edge follows.',
    },
    branch: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: 'The branch that the parent must choose.',
    },
    errors: { ...errorPatterns('With on: failure: the codes it catches. Default: all.'), minItems: 1 },
  },
  ['taskId'],
);

/** Characters of the name of an outside service. */
export const MAX_SERVICE_ID = 200;

/** What a node may share through `defaults`. */
const SHARED: JsonObject = {
  modelId: {
    type: 'string',
    minLength: 1,
    description: `provider/model, for model_inference; at most ${MAX_MODEL_ID} characters once its templates are evaluated.`,
    examples: ['simulated/echo'],
  },
  serviceId: {
    type: 'string',
    minLength: 1,
    maxLength: MAX_SERVICE_ID,
    description:
      'Groups tasks under one shared limit. Default: the model provider, or the host that is called.',
    examples: ['billing'],
  },
  timeoutSeconds: seconds('Running time of one attempt.', { default: 300 }),
  retry: RETRY_OR_LIST,
  cache: { $ref: '#/$defs/cache' },
  config: { type: 'object', description: 'What the type needs.' },
};

const NODE_FIELDS: JsonObject = {
  taskId: TASK_ID,
  taskType: {
    type: 'string',
    minLength: 1,
    maxLength: 100,
    description: 'Type of the task.',
    examples: ['transformation'],
  },
  dependsOn: {
    type: 'array',
    items: { if: { type: 'string' }, else: { $ref: '#/$defs/dependency' } },
    default: [],
    description: 'Parents: taskIds, or edges with a branch or outcome.',
    examples: [
      ['plan', { taskId: 'gate', branch: 'deep' }, { taskId: 'fetch', on: 'failure', errors: ['http_404'] }],
    ],
  },
  triggerRule: {
    enum: TRIGGER_RULES,
    description: "Airflow's rules instead of the join rule; rarely needed.",
  },
  conditionExpression: {
    description: 'A condition; false skips the task (a part of a parallel: null in its output).',
    examples: ['$.input.depth > 1'],
  },
  ...SHARED,
  inputMapping: mapping("Makes the task's input. Default: $.input for a root, else { parent: output }."),
  outputMapping: mapping('Sees the raw result as $.output; what it yields is stored.'),
  repeat: { $ref: '#/$defs/repeat' },
  optional: {
    type: 'boolean',
    default: false,
    description: 'Its failure counts as completed with output null.',
  },
  compensate: notSupported(NOT_SUPPORTED.compensate),
  ui: { description: 'Kept for editors and ignored.' },
};

const NOT_IN_PARTS = ['taskId', 'dependsOn', 'triggerRule', 'repeat'];

const KEPT_FLAG = 'Stored with the definition; changes nothing in this release, which is warned of.';

const TOP_FIELDS: JsonObject = {
  workflowId: {
    type: 'string',
    pattern: WORKFLOW_ID.pattern.source,
    'x-hint': WORKFLOW_ID.expected,
    description: 'Name of the workflow, unique in the tenant.',
    examples: ['research-brief'],
  },
  name: { type: 'string', maxLength: 500, description: 'For people.' },
  description: { type: 'string', description: 'For people.' },
  category: {
    type: 'string',
    maxLength: MAX_CATEGORY_CHARS,
    default: 'custom',
    description: 'Free text.',
    examples: ['pipeline'],
  },
  version: { type: 'string', maxLength: 100, description: "The author's own label.", examples: ['1.0.0'] },
  inputSchema: { type: ['object', 'boolean'], description: 'JSON Schema 2020-12 of the input.' },
  outputSchema: { type: ['object', 'boolean'], description: 'JSON Schema 2020-12 of the output.' },
  defaultParameters: { type: 'object', description: 'Fill the input before it is validated.' },
  timeoutSeconds: seconds(
    'Of the whole execution. Default: 3600, or none where a task waits for people, a callback or a signal.',
  ),
  maxRetries: {
    type: 'integer',
    minimum: 0,
    maximum: 1000,
    default: 3,
    description: 'Retries of a task without its own retry.',
  },
  minTier: {
    type: 'integer',
    minimum: 1,
    default: 1,
    description: 'Lowest tier of a tenant that may run it.',
  },
  requiresAuditTrail: { type: 'boolean', default: false, description: KEPT_FLAG },
  hipaaCompliant: { type: 'boolean', default: false, description: KEPT_FLAG },
  failurePolicy: {
    enum: FAILURE_POLICIES,
    default: 'finish_running',
    description: 'What an uncaught failure does to the rest.',
  },
  budget: notSupported(NOT_SUPPORTED.budget),
  concurrency: notSupported(NOT_SUPPORTED.concurrency),
  defaults: {
    type: 'object',
    additionalProperties: closedObject(SHARED),
    description: 'Fields of tasks by task type; "*" for all. What a task says wins; `config` is merged.',
    examples: [{ '*': { timeoutSeconds: 120 } }],
  },
  nodes: { type: 'array', minItems: 1, items: { $ref: '#/$defs/node' }, description: 'The tasks.' },
  onFailure: notSupported(NOT_SUPPORTED.onFailure),
  finally: notSupported(NOT_SUPPORTED.finally),
  output: mapping('Output of the execution. Default: outputs of the completed leaves by taskId.'),
  triggers: {
    type: 'array',
    maxItems: MAX_TRIGGERS,
    items: { $ref: '#/$defs/trigger' },
    description: 'Schedules, webhooks and events that start it; saving the definition brings them in step.',
    examples: [
      [
        {
          type: 'schedule',
          name: 'daily',
          cronExpression: '0 9 * * 1-5',
          timezone: 'Europe/Paris',
          input: {},
        },
      ],
    ],
  },
  tests: notSupported(NOT_SUPPORTED.tests),
};

const NODE = closedObject(NODE_FIELDS, ['taskId', 'taskType']);
const PART = closedObject(
  {
    ...Object.fromEntries(Object.entries(NODE_FIELDS).filter(([name]) => !NOT_IN_PARTS.includes(name))),
    repeat: notSupported({ ...NOT_SUPPORTED.repeatInParallel, description: 'Runs the task in rounds.' }),
  },
  ['taskType'],
);

/** For the structural check: config is left to the rules of the types. */
export const STRUCTURE = {
  top: closedObject({ ...TOP_FIELDS, nodes: { type: 'array', minItems: 1 } }, ['workflowId', 'nodes']),
  node: NODE,
  part: PART,
  definitions: { cache: CACHE, dependency: DEPENDENCY, retry: RETRY, repeat: REPEAT, trigger: TRIGGER },
} satisfies { [name: string]: JsonObject };

/** The schema for editors, with the config of every given type. */
export function definitionSchema(
  taskTypes: ReadonlyMap<string, TaskTypeRule> = BUILTIN_TASK_TYPES,
): JsonObject {
  const built = [...taskTypes.values()].filter((rule) => rule.status === 'built');
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Dagwright workflow definition',
    ...closedObject({ ...TOP_FIELDS, defaults: defaultsSchema(built) }, ['workflowId', 'nodes']),
    examples: [
      {
        workflowId: 'hello',
        nodes: [
          { taskId: 'greet', taskType: 'transformation', config: { output: 'Hello {{ input.name }}' } },
        ],
      },
    ],
    $defs: {
      node: withTypes(NODE, built),
      part: withTypes(PART, built),
      ...STRUCTURE.definitions,
    },
  };
}

/** With the config of each type; what a task of its own says fills what is missing. */
function defaultsSchema(rules: readonly TaskTypeRule[]): JsonObject {
  const typed = rules.map((rule) => {
    const { required: _, dependentRequired: __, ...config } = editorConfig(rule);
    return [rule.type, closedObject({ ...SHARED, config })] as const;
  });
  return {
    ...(TOP_FIELDS.defaults as JsonObject),
    properties: Object.fromEntries(typed),
  };
}

function withTypes(node: JsonObject, rules: readonly TaskTypeRule[]): JsonObject {
  const properties = isJsonObject(node.properties) ? node.properties : {};
  return {
    ...node,
    properties: {
      ...properties,
      taskType: { ...(properties.taskType as JsonObject), enum: rules.map((rule) => rule.type) },
    },
    allOf: rules.map((rule) => ({
      if: { properties: { taskType: { const: rule.type } }, required: ['taskType'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { config: editorConfig(rule) } },
    })),
  };
}

/** Every number, boolean, list or object of a config may also be a template. */
function editorConfig(rule: TaskTypeRule): JsonObject {
  const properties = isJsonObject(rule.configSchema.properties) ? rule.configSchema.properties : null;
  if (properties === null) return rule.configSchema;
  const widened: Record<string, Json> = {};
  for (const [name, schema] of Object.entries(properties)) {
    const part = rule.fields?.[name] ?? rule.fields?.[`${name}/*`];
    if (part === 'node')
      widened[name] = { ...(schema as JsonObject), additionalProperties: { $ref: '#/$defs/part' } };
    else if (part === 'item' || part === 'notice') widened[name] = { $ref: '#/$defs/part' };
    else if (rule.fields?.[`${name}/*/task`] === 'tool') widened[name] = withToolTask(schema as JsonObject);
    else widened[name] = part === undefined && isJsonObject(schema) ? orTemplate(schema) : schema;
  }
  return { ...rule.configSchema, properties: widened };
}

function withToolTask(list: JsonObject): JsonObject {
  const item = list.items as JsonObject;
  const properties = { ...(item.properties as JsonObject), task: { $ref: '#/$defs/part' } };
  return { ...list, items: { ...item, properties } };
}

function orTemplate(schema: JsonObject): JsonObject {
  if (schema.type === undefined && schema.enum === undefined) return schema;
  const { description, default: preset, ...rest } = schema;
  return {
    anyOf: [rest, { type: 'string', pattern: '^\\$[.\\[]|\\{\\{' }],
    ...(description !== undefined && { description }),
    ...(preset !== undefined && { default: preset }),
  };
}
