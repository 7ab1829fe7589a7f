// dagwright workflows: saved definitions of the tenant of --tenant.
import { DEFINITION_STATUSES, type DefinitionStatus } from '../../core/definition/model.ts';
import { MAX_REVISION, REVISION } from '../../core/definition/workflow-id.ts';
import { rollbackWorkflow } from '../../resources/definitions/save-workflows.ts';
import {
  listRevisions,
  listWorkflows,
  POSITION,
  setWorkflowStatus,
  showRevision,
  showWorkflow,
} from '../../resources/definitions/workflows.ts';
import { action } from '../action.ts';
import { triggerLines } from '../apply-workflow.ts';
import { at } from '../at.ts';
import { type Command, command } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { choice, paged, wholeNumber } from '../input/arguments.ts';
import { printedPage } from '../input/lists.ts';
import { table } from '../output/terminal.ts';
import { outcomeToRefusal, refuse } from '../refusal.ts';
import { inOwnEnvironment, webhookHost } from '../settings/webhook-host.ts';

const readRevision = wholeNumber(1, MAX_REVISION);

export function defineCommand(workflows: Command): void {
  paged(
    command(workflows, 'list', 'newest first')
      .addOption(choice('--status <status>', 'only these', DEFINITION_STATUSES))
      .option('--category <category>'),
  ).action(action(listAllWorkflows));
  command(workflows, 'show', 'one workflow with its definition')
    .argument('<workflowId>')
    .option('--revision <n>', 'instead of the one that starts take', readRevision)
    .action(action(showOneWorkflow));
  paged(
    command(workflows, 'revisions', 'newest first; * is the one that starts take').argument('<workflowId>'),
    { flag: '--cursor <revision>', read: readRevision },
  ).action(action(listRevisionsOf));
  command(workflows, 'rollback', 'starts take an earlier revision, with its triggers, until the next save')
    .argument('<workflowId>')
    .argument('<revision>')
    .action(action(rollbackOne));
  const statuses: readonly (readonly [string, DefinitionStatus, string])[] = [
    ['activate', 'active', 'let it start, by hand and by its triggers'],
    ['archive', 'archived', 'put it out of the way: nothing starts it; what runs goes on'],
    ['draft', 'draft', 'nothing starts it until it is activated'],
  ];
  for (const [name, status, description] of statuses)
    command(workflows, name, description)
      .argument('<workflowId>')
      .action(action((context, _options, workflowId: string) => setStatusOf(context, workflowId, status)));
}

const WORKFLOW_WORDS = { hints: { not_found: 'dagwright workflows list' } };
const revisionWords = (workflowId: string) => ({
  hints: { not_found: `dagwright workflows revisions ${workflowId}` },
});

interface PageOptions {
  readonly limit: number;
}

async function listAllWorkflows(
  context: CommandContext,
  options: PageOptions & {
    readonly status?: DefinitionStatus;
    readonly category?: string;
    readonly cursor?: string;
  },
): Promise<number> {
  const { limit, cursor, ...filter } = options;
  const before = cursor === undefined ? null : positionOf(cursor);
  const found = await context.withTenant((client, acting) =>
    at(listWorkflows)(client, acting, { ...filter, limit, before }),
  );
  const page = printedPage(found, ({ position }) => Buffer.from(position).toString('base64url'));
  context.printJson({ ...page, items: page.items.map(({ position: _, ...view }) => view) });
  const header = ['workflow', 'revision', 'status', 'category', 'updated'];
  context.say(
    table([
      header.map((cell) => context.paint('bold', cell)),
      ...page.items.map((one) => [
        one.workflowId,
        one.revision === one.latestRevision
          ? String(one.revision)
          : `${one.revision} of ${one.latestRevision}`,
        one.status,
        one.category,
        one.updatedAt,
      ]),
    ]),
  );
  if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
  return 0;
}

async function showOneWorkflow(
  context: CommandContext,
  { revision }: { readonly revision?: number },
  workflowId: string,
): Promise<number> {
  const found = await context.withTenant(async (client, acting) =>
    revision === undefined
      ? outcomeToRefusal(await at(showWorkflow)(client, acting, workflowId), WORKFLOW_WORDS)
      : outcomeToRefusal(
          await at(showRevision)(client, acting, { workflowId, revision }),
          revisionWords(workflowId),
        ),
  );
  context.printJson(found);
  const state = 'status' in found ? `, ${found.status}` : '';
  context.say(`${context.paint('bold', workflowId)}  revision ${found.revision}${state}`);
  context.say(JSON.stringify(found.definition, null, 2));
  return 0;
}

async function listRevisionsOf(
  context: CommandContext,
  { limit, cursor = null }: PageOptions & { readonly cursor?: number | null },
  workflowId: string,
): Promise<number> {
  const found = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(
      await at(listRevisions)(client, acting, { workflowId, limit, before: cursor }),
      WORKFLOW_WORDS,
    ),
  );
  const page = printedPage(found, ({ revision }) => String(revision));
  context.printJson(page);
  const header = ['revision', 'version', 'created', 'by'];
  context.say(
    table([
      header.map((cell) => context.paint('bold', cell)),
      ...page.items.map((one) => [
        `${one.revision}${one.isCurrent ? ' *' : ''}`,
        one.version ?? '',
        one.createdAt,
        one.createdBy ?? '',
      ]),
    ]),
  );
  if (page.nextCursor !== null) context.say(`more: --cursor ${page.nextCursor}`);
  return 0;
}

async function rollbackOne(
  context: CommandContext,
  _options: object,
  workflowId: string,
  given: string,
): Promise<number> {
  if (!REVISION.pattern.test(given))
    throw refuse('usage', `"${given}" is no revision`, `dagwright workflows revisions ${workflowId}`);
  const revision = Number(given);
  const back = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(
      inOwnEnvironment(
        await at(rollbackWorkflow)(client, acting, { workflowId, revision }, webhookHost(context.config)),
        context,
      ),
      revisionWords(workflowId),
    ),
  );
  context.printJson(back);
  context.say(`${workflowId} is at revision ${revision} until the next save`);
  for (const line of triggerLines(back.triggers)) context.say(line);
  return 0;
}

async function setStatusOf(
  context: CommandContext,
  workflowId: string,
  status: DefinitionStatus,
): Promise<number> {
  const view = await context.withTenant(async (client, acting) =>
    outcomeToRefusal(await at(setWorkflowStatus)(client, acting, { workflowId, status }), WORKFLOW_WORDS),
  );
  context.printJson(view);
  context.say(`${workflowId} is ${status}`);
  return 0;
}

function positionOf(cursor: string): string {
  const position = Buffer.from(cursor, 'base64url').toString();
  if (POSITION.pattern.test(position)) return position;
  throw refuse('usage', `--cursor: "${cursor}" is none that a list gave`);
}
