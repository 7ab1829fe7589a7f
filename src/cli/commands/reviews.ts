// dagwright reviews: what people are asked, and what they decide. On the database the command line is an operator; over --server the
// key says who decides.
import type pg from 'pg';
import { isUuid } from '../../core/id.ts';
import type { Json } from '../../core/json.ts';
import type { ReviewStatus } from '../../core/review.ts';
import { type Assignee, assigneeText, REVIEW_STATUSES, type ReviewDecision } from '../../core/review.ts';
import type { Acting } from '../../db/connection/connection.ts';
import type { Outcome } from '../../resources/outcome.ts';
import { LINK_EXPIRY, makeLink, revokeLinks } from '../../resources/review-links.ts';
import * as reviews from '../../resources/reviews.ts';
import { action } from '../action.ts';
import { at } from '../at.ts';
import { type Command, command, InvalidArgumentError } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { choice, orNone, paged, textWithin, wholeNumber } from '../input/arguments.ts';
import { readJsonArgument } from '../input/json-argument.ts';
import { printedPage, requireUuid } from '../input/lists.ts';
import { shorten, table } from '../output/terminal.ts';
import { outcomeToRefusal, refuse } from '../refusal.ts';
import { oneLine } from '../safe-output.ts';
import { publicUrlOf } from '../settings/webhook-host.ts';

const OPERATOR: reviews.ReviewRights = { mayOverride: true, manages: true };
const SHOWN_CHARS = 60;

export function defineCommand(group: Command): void {
  paged(
    command(group, 'list', 'open ones, newest first')
      .addOption(
        choice('--status <status>', 'those with it, or all', [...REVIEW_STATUSES, 'all']).default('open'),
      )
      .option('--mine', "the caller's")
      .option('--due <instant>', 'due then or before, such as 2030-01-31T09:00:00Z', instant)
      .option('--workflow <workflowId>')
      .option('--execution <id>'),
  ).action(action(listAll));
  command(group, 'show', 'what is shown, the form, and what people said')
    .argument('<id>')
    .action(action(showOne));
  for (const [name, decision, description] of [
    ['approve', 'approved', 'say yes; --data has changes, where it has a form'],
    ['reject', 'rejected', 'say no'],
    ['submit', 'submitted', 'fill in its form'],
  ] as const)
    addDecision(group, name, decision, description);
  command(group, 'assign', 'ask others')
    .argument('<id>')
    .argument('<assignee...>', 'user:alice or role:reviewer')
    .action(action(assign));
  command(group, 'claim', 'take it on: nobody else decides it then, where one decision is enough')
    .argument('<id>')
    .action(action(claim));
  command(group, 'release', 'give it back').argument('<id>').action(action(release));
  command(group, 'link', 'make a link for a person without a key, who decides by it, once')
    .argument('<id>')
    .argument('<person>', 'user:alice')
    .option('--expires <seconds>', 'from now on', wholeNumber(60, LINK_EXPIRY.max), LINK_EXPIRY.default)
    .action(action(link));
  command(group, 'unlink', 'take back the links that are not used yet')
    .argument('<id>')
    .action(action(unlink));
  command(group, 'comment', 'say something to it')
    .argument('<id>')
    .argument('<text>', '', textWithin({ minLength: 1, maxLength: reviews.MAX_COMMENT }))
    .action(action(comment));
  command(group, 'update', 'change its priority or its due time')
    .argument('<id>')
    .option('--priority <n>', '1 to 10, higher first', wholeNumber(1, 10))
    .option('--due <instant>', 'such as 2030-01-31T09:00:00Z; none: never', orNone(instant))
    .action(action(update));
}

function addDecision(group: Command, name: string, decision: ReviewDecision, description: string): void {
  const made = command(group, name, description)
    .argument('<id>')
    .option('--comment <text>', 'why', textWithin({ minLength: 0, maxLength: reviews.MAX_COMMENT }))
    .option(
      '--fence <n>',
      'refused where the review is another than the one that was read',
      wholeNumber(0, 2 ** 53 - 1),
    )
    .option('--override', "decide at once, whoever's it is; the audit trail says so");
  if (decision !== 'rejected') made.option('--data <json|@file>', 'what is filled in or changed');
  made.action(
    action((context: CommandContext, options: DecideOptions, id: string) =>
      decide(context, options, id, decision),
    ),
  );
}

interface DecideOptions {
  readonly comment?: string;
  readonly fence?: number;
  readonly override?: boolean;
  readonly data?: string;
}

interface ListOptions {
  readonly status: ReviewStatus | 'all';
  readonly mine?: boolean;
  readonly due?: string;
  readonly workflow?: string;
  readonly execution?: string;
  readonly limit: number;
  readonly cursor?: string;
}

async function listAll(context: CommandContext, options: ListOptions): Promise<number> {
  const { status, mine, due, workflow: workflowId, limit } = options;
  const before = requireUuid(options.cursor, '--cursor');
  const executionId = requireUuid(options.execution, '--execution') ?? undefined;
  return await context.withTenant(async (client, acting) => {
    const filter = { limit, before, due, mine, workflowId, executionId };
    const wanted = status === 'all' ? filter : { ...filter, status };
    const page = printedPage(await at(reviews.listReviews)(client, acting, wanted), ({ id }) => id);
    context.printJson(page);
    const header = ['id', 'workflow', 'task', 'title', 'status', 'votes', 'for', 'due'].map((cell) =>
      context.paint('bold', cell),
    );
    const rows = page.items.map((review) => [
      review.id,
      review.workflowId,
      nameOf(review),
      shorten(oneLine(review.title), SHOWN_CHARS),
      review.status,
      `${review.approvals}/${review.requiredApprovals}`,
      shorten(peopleOf(review), SHOWN_CHARS),
      review.dueAt ?? '',
    ]);
    context.say(page.items.length === 0 ? 'no reviews' : table([header, ...rows]));
    if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
    return 0;
  });
}

async function showOne(context: CommandContext, _options: object, id: string): Promise<number> {
  return await act(context, id, (client, acting) => at(reviews.showReview)(client, acting, id), describe);
}

async function decide(
  context: CommandContext,
  options: DecideOptions,
  id: string,
  decision: ReviewDecision,
): Promise<number> {
  const data =
    options.data === undefined ? undefined : ((await readJsonArgument(options.data, '--data')) as Json);
  const { comment, fence, override } = options;
  const fields = {
    id,
    decision,
    ...(comment !== undefined && { comment }),
    ...(fence !== undefined && { fence }),
    ...(override !== undefined && { override }),
    ...(data !== undefined && { data }),
  };
  return await act(context, id, (client, acting) =>
    at(reviews.decideReview)(client, acting, fields, OPERATOR),
  );
}

async function assign(
  context: CommandContext,
  _options: object,
  id: string,
  named: string | readonly string[],
): Promise<number> {
  const assignees = [named].flat().map(readAssigneeArgument);
  return await act(context, id, (client, acting) =>
    at(reviews.assignReview)(client, acting, { id, assignees }, OPERATOR),
  );
}

async function link(
  context: CommandContext,
  { expires: expiresInSeconds }: { readonly expires: number },
  id: string,
  person: string,
): Promise<number> {
  requireReviewId(id);
  const assignee = readAssigneeArgument(person);
  const publicUrl = publicUrlOf(context.config).url.replace(/\/+$/, '');
  const given = { id, assignee, expiresInSeconds, publicUrl };
  return await context.withTenant(async (client, acting) => {
    const made = outcomeToRefusal(await at(makeLink)(client, acting, given), WORDS);
    context.printJson(made);
    context.say(`${made.url}\nuntil ${made.expiresAt}; whoever has it decides as ${person}`);
    return 0;
  });
}

async function unlink(context: CommandContext, _options: object, id: string): Promise<number> {
  requireReviewId(id);
  return await context.withTenant(async (client, acting) => {
    const { revoked } = outcomeToRefusal(await at(revokeLinks)(client, acting, { id }), WORDS);
    context.printJson({ id, revoked });
    context.say(`${revoked} link(s) taken back`);
    return 0;
  });
}

function requireReviewId(id: string): void {
  if (!isUuid(id))
    throw refuse('usage', `"${oneLine(id)}" is not the id of a review`, 'dagwright reviews list');
}

const claim = (context: CommandContext, _options: object, id: string) =>
  act(context, id, (client, acting) => at(reviews.claimReview)(client, acting, { id }, OPERATOR));

const release = (context: CommandContext, _options: object, id: string) =>
  act(context, id, (client, acting) => at(reviews.releaseReview)(client, acting, { id }, OPERATOR));

const comment = (context: CommandContext, _options: object, id: string, text: string) =>
  act(context, id, (client, acting) => at(reviews.commentOnReview)(client, acting, { id, comment: text }));

async function update(
  context: CommandContext,
  { priority, due }: { readonly priority?: number; readonly due?: string },
  id: string,
): Promise<number> {
  if (priority === undefined && due === undefined)
    throw refuse('usage', 'nothing to change', '--priority N, --due INSTANT');
  const change = {
    id,
    ...(priority !== undefined && { priority }),
    ...(due !== undefined && { dueAt: due === 'none' ? null : due }),
  };
  return await act(context, id, (client, acting) =>
    at(reviews.updateReview)(client, acting, change, OPERATOR),
  );
}

const WORDS = {
  arguments: { '/data': '--data', '/fence': '--fence', '/override': '--override' },
  hints: {
    not_found: 'dagwright reviews list',
    self_approval: 'selfApproval: true in the definition allows it; --override decides all the same',
    not_assignee: 'dagwright reviews assign ID user:NAME; --override decides all the same',
    claimed: 'dagwright reviews release ID',
  },
} as const;

async function act(
  context: CommandContext,
  id: string,
  work: (client: pg.ClientBase, acting: Acting) => Promise<Outcome<reviews.ReviewDetail>>,
  say: (review: reviews.ReviewDetail) => string = ({ status, approvals, requiredApprovals }) =>
    status === 'open'
      ? `${id} is open: ${approvals} of ${requiredApprovals} approvals`
      : `${id} is ${status}`,
): Promise<number> {
  requireReviewId(id);
  return await context.withTenant(async (client, acting) => {
    const review = outcomeToRefusal(await work(client, acting), WORDS);
    context.printJson(review);
    context.say(say(review));
    return 0;
  });
}

function describe(review: reviews.ReviewDetail): string {
  const { description, decidedBy, decidedAt, claimedBy, dueAt, formSchema, responses } = review;
  const lines = [
    `${oneLine(review.title)} (${review.reviewType}): ${review.status}${decidedBy === null ? '' : ` by ${decidedBy}`}${decidedAt === null ? '' : ` at ${decidedAt}`}`,
    `execution ${review.executionId} of ${review.workflowId}, task ${nameOf(review)}, fence ${review.fence}`,
    `for ${peopleOf(review)}; ${review.approvals} of ${review.requiredApprovals} approvals${claimedBy === null ? '' : `; claimed by ${claimedBy}`}${dueAt === null ? '' : `; due ${dueAt}, then ${review.onExpire}`}`,
    ...(description === null ? [] : ['', description]),
    '',
    JSON.stringify(review.payload, null, 2),
    ...(formSchema === null ? [] : ['', `form: ${JSON.stringify(formSchema)}`]),
    ...(responses.length === 0 ? [] : ['']),
    ...responses.map(
      ({ at: saidAt, by, decision, comment: text, data }) =>
        `${saidAt}  ${by}: ${[decision, text, data === null ? null : JSON.stringify(data)].filter((part) => part !== null).join(' ')}`,
    ),
  ];
  return lines.join('\n');
}

const nameOf = ({ taskId, mapIndex }: reviews.ReviewView) =>
  mapIndex === null ? taskId : `${taskId}[${mapIndex}]`;
const peopleOf = ({ assignees }: reviews.ReviewView) =>
  assignees.length === 0 ? 'anybody' : assignees.map(assigneeText).join(', ');

function readAssigneeArgument(text: string): Assignee {
  const found = /^(user|role):(.+)$/.exec(text);
  if (found === null) throw refuse('usage', `"${oneLine(text)}": expected user:NAME or role:NAME`);
  return { type: found[1] as Assignee['type'], id: found[2]! };
}

function instant(text: string): string {
  const ms = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError('expected an instant such as 2030-01-31T09:00:00Z');
  return new Date(ms).toISOString();
}
