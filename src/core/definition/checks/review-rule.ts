// The rule of human_review: its config, what validation checks of it beyond the schema, and its output.
import type { Problem } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { branchesOf, MAX_ASSIGNEES, ON_EXPIRE, REVIEW_TYPES } from '../../review.ts';
import { closed, text } from '../schema/config-schema.ts';
import { compileSchema } from '../schema/input-schema.ts';
import type { TaskTypeRule } from '../task-type.ts';

/** Ten years. */
const MAX_SECONDS = 315_360_000;

const people = (description: string): JsonObject => ({
  type: 'array',
  maxItems: MAX_ASSIGNEES,
  items: closed(
    {
      type: { enum: ['user', 'role'], description: 'A person, or all who have a key with the role.' },
      id: { type: 'string', minLength: 1, description: 'The subject of their keys, or the role.' },
    },
    ['type', 'id'],
  ),
  description,
});

/** `approval` of a tool of model_inference. */
export const TOOL_APPROVAL: JsonObject = {
  anyOf: [
    { type: 'boolean' },
    closed({
      assignees: people('Who may approve. Default: whoever may write reviews.'),
      requiredApprovals: { type: 'integer', minimum: 1, maximum: MAX_ASSIGNEES, default: 1 },
      selfApproval: { type: 'boolean', default: false },
      priority: { type: 'integer', minimum: 1, maximum: 10, default: 5 },
      dueInSeconds: { type: 'number', exclusiveMinimum: 0, maximum: MAX_SECONDS },
    }),
  ],
  description:
    'People approve each call before it is made; a refusal goes back to the model with its reason. true: whoever may write reviews.',
};

export const HUMAN_REVIEW: TaskTypeRule = {
  type: 'human_review',
  status: 'built',
  configSchema: closed({
    reviewType: {
      enum: REVIEW_TYPES,
      default: 'approval',
      description:
        'approval: approved or rejected. input: somebody fills in formSchema. review: approved, with changes to what is shown, or rejected.',
    },
    title: text('What is asked, in one line. Default: the taskId.'),
    description: text('More of it, for whoever decides.'),
    assignees: people('Who may decide. Default: whoever may write reviews.'),
    requiredApprovals: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_ASSIGNEES,
      default: 1,
      description: 'Different people who must approve.',
    },
    rejectAfter: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_ASSIGNEES,
      default: 1,
      description: 'Rejections that decide it.',
    },
    selfApproval: {
      type: 'boolean',
      default: false,
      description: 'Whoever started the execution may decide as well.',
    },
    formSchema: {
      type: 'object',
      description: 'JSON Schema 2020-12 of what is filled in, or of the changed data.',
    },
    priority: { type: 'integer', minimum: 1, maximum: 10, default: 5, description: 'Higher first.' },
    dueInSeconds: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: MAX_SECONDS,
      description: 'Counts from the opening. Default: never due.',
    },
    remindBeforeSeconds: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: MAX_SECONDS,
      description: 'So long before it is due.',
    },
    onExpire: {
      enum: ON_EXPIRE,
      default: 'expire',
      description:
        'What happens when it is due. expire: the branch expired, where edges name it, else as fail. fail: the error expired. escalate: others are asked, with a new due time, at most 5 times.',
    },
    escalateTo: people('Who is asked then.'),
    notify: {
      type: 'object',
      description:
        'A node without taskId that tells people, at the opening, the reminder and each escalation; once for each person who is named. `task.reviewUrl` is his link; `task.input` has reason, reviewId, title, assignee, dueAt.',
    },
  }),
  fields: { formSchema: 'literal', notify: 'notice' },
  problems: reviewProblems,
  branchNames: (config) => branchesOf(config.reviewType),
  outputSchema: () => ({
    type: 'object',
    properties: {
      decision: { type: 'string' },
      data: {},
      responses: { type: 'array' },
    },
    additionalProperties: false,
  }),
  waitsForOutside: () => true,
};

function reviewProblems(config: JsonObject): Problem[] {
  const {
    formSchema,
    reviewType = 'approval',
    onExpire,
    escalateTo,
    dueInSeconds,
    notify,
    ...others
  } = config;
  const problems = [...schemaProblems(formSchema), ...noticeProblems(notify)];
  const required = (pointer: string, message: string) =>
    problems.push({ pointer, code: 'required', message });
  if (reviewType === 'input' && formSchema === undefined)
    required('/formSchema', 'an input needs the form that is filled in');
  if (onExpire === 'escalate' && escalateTo === undefined)
    required('/escalateTo', 'escalate needs to know whom to ask');
  if (dueInSeconds === undefined)
    for (const name of ['remindBeforeSeconds', 'onExpire', 'escalateTo'])
      if (config[name] !== undefined)
        problems.push({
          pointer: `/${name}`,
          code: 'conflict',
          message: `without dueInSeconds there is no ${name}`,
        });
  if (escalateTo !== undefined && onExpire !== 'escalate' && dueInSeconds !== undefined)
    problems.push({
      pointer: '/escalateTo',
      code: 'conflict',
      message: 'only onExpire: escalate asks others',
    });
  if (onExpire === 'approve' && reviewType === 'input')
    problems.push({ pointer: '/onExpire', code: 'conflict', message: 'nobody has filled in the form then' });
  const { remindBeforeSeconds, requiredApprovals, assignees } = others;
  if (
    typeof remindBeforeSeconds === 'number' &&
    typeof dueInSeconds === 'number' &&
    remindBeforeSeconds >= dueInSeconds
  )
    problems.push({
      pointer: '/remindBeforeSeconds',
      code: 'range',
      message: 'must be less than dueInSeconds',
    });
  if (typeof requiredApprovals === 'number' && hasTooFew(assignees, requiredApprovals))
    problems.push({
      pointer: '/requiredApprovals',
      code: 'range',
      message: 'more approvals than people who may decide',
    });
  return problems;
}

/** Types that every worker has: what needs another would keep the review from those that lack it. */
const NOTICE_TYPES = ['external_api', 'model_inference', 'transformation'];

function noticeProblems(notify: Json | undefined): Problem[] {
  const type = isJsonObject(notify) ? notify.taskType : undefined;
  if (typeof type !== 'string' || NOTICE_TYPES.includes(type)) return [];
  const message = `people are told by ${NOTICE_TYPES.join(', ')}`;
  return [{ pointer: '/notify/taskType', code: 'invalid_value', message }];
}

function schemaProblems(formSchema: Json | undefined): Problem[] {
  const checked = isJsonObject(formSchema) ? compileSchema(formSchema) : null;
  if (checked === null || checked.ok) return [];
  return checked.problems.map((problem) => ({ ...problem, pointer: `/formSchema${problem.pointer}` }));
}

// Who has a role is known when it is decided only, and what a template gives when it is opened.
function hasTooFew(assignees: Json | undefined, wanted: number): boolean {
  if (!Array.isArray(assignees) || assignees.length === 0) return false;
  const ids = (assignees as readonly Json[]).map((one) =>
    isJsonObject(one) && one.type === 'user' && typeof one.id === 'string' && !one.id.includes('{{')
      ? one.id.replace(/^user:/, '')
      : null,
  );
  return !ids.includes(null) && new Set(ids).size < wanted;
}
