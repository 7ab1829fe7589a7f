// A service with workflows that webhooks start.
import type { WorkflowDefinition } from '../../../src/core/definition/model.ts';
import { DEFAULT_TENANT_ID } from '../../../src/db/resources/default-tenant.ts';
import { applyDefinition } from '../../../src/db/resources/definitions.ts';
import type { TestService } from '../../support/service.ts';

/** `orders` takes anything, `strict` an object with a text `name`. */
export const ORDERS = {
  workflowId: 'orders',
  nodes: [{ taskId: 'keep', taskType: 'transformation', dependsOn: [], config: { output: '{{ input }}' } }],
} as unknown as WorkflowDefinition;
export const STRICT = {
  workflowId: 'strict',
  inputSchema: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
  nodes: [
    { taskId: 'keep', taskType: 'transformation', dependsOn: [], config: { output: '{{ input.name }}' } },
  ],
} as unknown as WorkflowDefinition;

export async function applyTo(
  { database }: TestService,
  definitions: readonly WorkflowDefinition[],
  tenantId = DEFAULT_TENANT_ID,
): Promise<void> {
  for (const definition of definitions) await applyDefinition(database, tenantId, definition, 'test');
}

export interface MadeWebhook {
  readonly id: string;
  readonly path: string;
  readonly secret: string;
  /** Where it is reached in this test. */
  readonly url: string;
}

/** Makes a webhook over HTTP; `path` and a secret are made up where they are not given. */
export async function makeWebhook(
  service: TestService,
  given: Readonly<Record<string, unknown>> = {},
  key?: string,
): Promise<MadeWebhook> {
  const body = { workflowId: 'orders', path: `hook-${++made}`, ...given };
  const answer = await service.call('POST', '/v1/webhooks', { body, ...(key === undefined ? {} : { key }) });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  const { id, path, secret = given.secret } = answer.body;
  return { id, path, secret, url: `${service.url}/hooks/${path}` };
}
let made = 0;

/** What the deliveries of a webhook have left: events, and executions that name it. */
export async function traces(
  service: TestService,
  webhookId: string,
): Promise<{ events: number; executions: number }> {
  const [row] = await service.query<{ events: number; executions: number }>(
    `select (select count(*)::int from dagwright.webhook_events where webhook_id = $1) as events,
      (select count(*)::int from dagwright.workflow_executions where trigger->>'webhookId' = $1::text) as executions`,
    [webhookId],
  );
  return row!;
}
