// dagwright workflows: saved definitions of the tenant of --tenant.
import type { DefinitionStatus } from '../../core/definition/model.ts';
import {
  findRevision,
  findWorkflow,
  listDefinitions,
  listRevisions,
  setDefinitionStatus,
} from '../../db/resources/definitions.ts';
import { CLI_ACTOR } from '../actor.ts';
import { rollbackTo, triggerLines } from '../apply-workflow.ts';
import type { CommandContext } from '../context.ts';
import { table } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';

interface PageOptions {
  readonly limit: number;
}

export async function listAllWorkflows(
  context: CommandContext,
  options: PageOptions & {
    readonly status?: DefinitionStatus;
    readonly category?: string;
    readonly cursor?: string;
  },
): Promise<number> {
  const { limit, cursor, ...filter } = options;
  const before = cursor === undefined ? null : positionOf(cursor);
  return await context.withSystem(async ({ database, tenantId }) => {
    const found = await database.withTenant(tenantId, (client) =>
      listDefinitions(client, tenantId, { ...filter, limit: limit + 1, before }),
    );
    const page = found.slice(0, limit);
    const nextCursor = found.length > limit ? Buffer.from(page.at(-1)!.position).toString('base64url') : null;
    context.printJson({ items: page.map(({ position: _, ...view }) => view), nextCursor });
    const header = ['workflow', 'revision', 'status', 'category', 'updated'];
    context.say(
      table([
        header.map((cell) => context.paint('bold', cell)),
        ...page.map((one) => [
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
    if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    return 0;
  });
}

export async function showWorkflow(
  context: CommandContext,
  { revision }: { readonly revision?: number },
  workflowId: string,
): Promise<number> {
  return await context.withSystem(async ({ database, tenantId }) => {
    const found = await database.withTenant(tenantId, async (client) =>
      revision === undefined
        ? await findWorkflow(client, tenantId, workflowId)
        : await findRevision(client, tenantId, workflowId, revision),
    );
    if (found === null) throw unknown(workflowId, revision);
    context.printJson(found);
    const state = 'status' in found ? `, ${found.status}` : '';
    context.say(`${context.paint('bold', workflowId)}  revision ${found.revision}${state}`);
    context.say(JSON.stringify(found.definition, null, 2));
    return 0;
  });
}

export async function listRevisionsOf(
  context: CommandContext,
  { limit, cursor = null }: PageOptions & { readonly cursor?: number | null },
  workflowId: string,
): Promise<number> {
  return await context.withSystem(async ({ database, tenantId }) => {
    const found = await database.withTenant(tenantId, (client) =>
      listRevisions(client, tenantId, workflowId, { limit: limit + 1, before: cursor }),
    );
    if (found === null) throw unknown(workflowId);
    const items = found.slice(0, limit);
    const nextCursor = found.length > limit ? String(items.at(-1)!.revision) : null;
    context.printJson({ items, nextCursor });
    const header = ['revision', 'version', 'created', 'by'];
    context.say(
      table([
        header.map((cell) => context.paint('bold', cell)),
        ...items.map((one) => [
          `${one.revision}${one.isCurrent ? ' *' : ''}`,
          one.version ?? '',
          one.createdAt,
          one.createdBy ?? '',
        ]),
      ]),
    );
    if (nextCursor !== null) context.say(`more: --cursor ${nextCursor}`);
    return 0;
  });
}

export async function rollbackOne(
  context: CommandContext,
  _options: object,
  workflowId: string,
  revision: string,
): Promise<number> {
  if (!/^[1-9]\d{0,8}$/.test(revision))
    throw refuse('usage', `"${revision}" is no revision`, `dagwright workflows revisions ${workflowId}`);
  return await context.withSystem(async (system) => {
    const triggers = await rollbackTo(system, workflowId, Number(revision));
    context.printJson({ workflowId, revision: Number(revision), triggers });
    context.say(`${workflowId} is at revision ${revision} until the next save`);
    for (const line of triggerLines(triggers, system)) context.say(line);
    return 0;
  });
}

export async function setStatusOf(
  context: CommandContext,
  workflowId: string,
  status: DefinitionStatus,
): Promise<number> {
  return await context.withSystem(async ({ database, tenantId }) => {
    const view = await database.withTenant({ tenantId, ...CLI_ACTOR }, (client) =>
      setDefinitionStatus(client, tenantId, workflowId, status),
    );
    if (view === null) throw unknown(workflowId);
    context.printJson(view);
    context.say(`${workflowId} is ${status}`);
    return 0;
  });
}

function positionOf(cursor: string): string {
  const position = Buffer.from(cursor, 'base64url').toString();
  if (/^\d{20} [A-Za-z][A-Za-z0-9_-]{0,99}$/.test(position)) return position;
  throw refuse('usage', `--cursor: "${cursor}" is none that a list gave`);
}

const unknown = (workflowId: string, revision?: number) =>
  refuse(
    'not_found',
    `there is no ${revision === undefined ? 'workflow' : `revision ${revision} of`} "${workflowId}"`,
    revision === undefined ? 'dagwright workflows list' : `dagwright workflows revisions ${workflowId}`,
  );
