// From the acts of the command line to the routes of the HTTP API: both are faces of the same functions (resources), so that a line here
// is all that a command needs to work with --server. What is not here needs the database.
import * as keys from '../../resources/api-keys.ts';
import { listAudit } from '../../resources/audit.ts';
import { rollbackWorkflow } from '../../resources/definitions/save-workflows.ts';
import * as workflows from '../../resources/definitions/workflows.ts';
import * as executions from '../../resources/executions.ts';
import { makeLink, revokeLinks } from '../../resources/review-links.ts';
import * as reviews from '../../resources/reviews.ts';
import * as schedules from '../../resources/schedules/schedules.ts';
import * as ticks from '../../resources/schedules/ticks.ts';
import { signalExecution } from '../../resources/signals.ts';
import * as variables from '../../resources/variables.ts';
import { listWebhookEvents, showWebhookEvent } from '../../resources/webhooks/events.ts';
import * as webhooks from '../../resources/webhooks/webhooks.ts';
import { e, type Given, get, list, post, ROUTES, route, text } from './route-table.ts';
import { needsDatabase, type RemoteRequest } from './service.ts';

// Executions.
list(executions.listExecutions, ({ limit, status, workflowId, before }: Given) => ({
  path: '/v1/executions',
  query: { limit, status, workflowId } as RemoteRequest['query'],
  after: text(before),
}));
ROUTES.set(executions.showRun, {
  isOutcome: true,
  isOperator: false,
  async perform(ask, [id]) {
    const found = await ask(get(`/v1/executions/${e(id as string)}`));
    if (!found.ok) return found;
    const { readWhole } = await import('./list.ts');
    const tasks = await readWhole(ask, `/v1/executions/${e(id as string)}/tasks`);
    // What each call has spent is in the database only; the tasks have their own costs.
    return { ok: true, value: { run: { ...(found.value.body as object), tasks }, spendings: [] } };
  },
});
route(executions.explainExecution, (id: string) => get(`/v1/executions/${e(id)}/why`));
route(executions.cancelExecution, ({ id, reason }: { id: string; reason?: string }) =>
  post(`/v1/executions/${e(id)}/cancel`, reason === undefined ? {} : { reason }),
);
route(executions.pauseExecution, ({ id }: { id: string }) => post(`/v1/executions/${e(id)}/pause`));
route(executions.resumeExecution, ({ id }: { id: string }) => post(`/v1/executions/${e(id)}/resume`));
route(signalExecution, ({ id, name, ...body }: { id: string; name: string }) =>
  post(`/v1/executions/${e(id)}/signals/${e(name)}`, body),
);

// Reviews. What the caller may do beyond his own, the service knows.
list(reviews.listReviews, ({ limit, status, workflowId, executionId, due, mine, before }: Given) => ({
  path: '/v1/reviews',
  query: { limit, status, workflowId, executionId, due, mine } as RemoteRequest['query'],
  after: text(before),
}));
route(reviews.showReview, (id: string) => get(`/v1/reviews/${e(id)}`));
route(reviews.decideReview, ({ id, ...body }: { id: string }) => post(`/v1/reviews/${e(id)}/decision`, body));
route(reviews.assignReview, ({ id, ...body }: { id: string }) => post(`/v1/reviews/${e(id)}/assign`, body));
route(reviews.claimReview, ({ id }: { id: string }) => post(`/v1/reviews/${e(id)}/claim`));
route(reviews.releaseReview, ({ id }: { id: string }) => post(`/v1/reviews/${e(id)}/release`));
route(reviews.commentOnReview, ({ id, ...body }: { id: string }) =>
  post(`/v1/reviews/${e(id)}/comments`, body),
);
route(
  makeLink,
  ({ id, assignee, expiresInSeconds }: { id: string; assignee: object; expiresInSeconds?: number }) =>
    post(`/v1/reviews/${e(id)}/links`, { assignee, expiresInSeconds }),
);
route(revokeLinks, ({ id }: { id: string }) => ({
  method: 'DELETE',
  path: `/v1/reviews/${e(id)}/links`,
}));
route(reviews.updateReview, ({ id, ...body }: { id: string }) => ({
  method: 'PATCH',
  path: `/v1/reviews/${e(id)}`,
  body,
}));

// Workflows.
list(workflows.listWorkflows, ({ limit, status, category, before }: Given) => ({
  path: '/v1/workflows',
  query: { limit, status, category } as RemoteRequest['query'],
  after: text(before),
  keyField: 'position',
}));
route(workflows.showWorkflow, (id: string) => get(`/v1/workflows/${e(id)}`));
route(workflows.showRevision, ({ workflowId, revision }: { workflowId: string; revision: number }) =>
  get(`/v1/workflows/${e(workflowId)}/revisions/${revision}`),
);
list(
  workflows.listRevisions,
  ({ workflowId, limit, before }: Given) => ({
    path: `/v1/workflows/${e(String(workflowId))}/revisions`,
    query: { limit } as RemoteRequest['query'],
    after: text(before),
  }),
  { isOutcome: true },
);
route(workflows.setWorkflowStatus, ({ workflowId, status }: { workflowId: string; status: string }) => ({
  method: 'PATCH',
  path: `/v1/workflows/${e(workflowId)}`,
  body: { status },
}));
route(rollbackWorkflow, ({ workflowId, revision }: { workflowId: string; revision: number }) =>
  post(`/v1/workflows/${e(workflowId)}/rollback`, { revision }),
);

// Variables.
list(variables.listVariables, ({ limit, after }: Given) => ({
  path: '/v1/variables',
  query: { limit } as RemoteRequest['query'],
  after: text(after),
}));
route(variables.showVariable, (name: string) => get(`/v1/variables/${e(name)}`));
route(
  variables.setVariable,
  ({ name, ...body }: { name: string }) => ({ method: 'PUT', path: `/v1/variables/${e(name)}`, body }),
  { value: ({ status, body }) => ({ variable: body, isNew: status === 201 }) },
);
route(variables.deleteVariable, (name: string) => ({ method: 'DELETE', path: `/v1/variables/${e(name)}` }), {
  value: (_, name: string) => ({ name }),
});

// Schedules.
list(schedules.listSchedules, ({ limit, before, workflowId, status }: Given) => ({
  path: '/v1/schedules',
  query: { limit, workflowId, status } as RemoteRequest['query'],
  after: text(before),
}));
route(schedules.showSchedule, (id: string) => get(`/v1/schedules/${e(id)}`));
route(schedules.createSchedule, (fields: object) => post('/v1/schedules', fields));
route(schedules.changeSchedule, ({ id, change }: { id: string; change: object }) => ({
  method: 'PATCH',
  path: `/v1/schedules/${e(id)}`,
  body: change,
}));
route(schedules.pauseSchedule, ({ id }: { id: string }) => post(`/v1/schedules/${e(id)}/pause`));
route(schedules.resumeSchedule, (id: string) => post(`/v1/schedules/${e(id)}/resume`));
route(schedules.deleteSchedule, (id: string) => ({ method: 'DELETE', path: `/v1/schedules/${e(id)}` }), {
  value: (_, id: string) => ({ id }),
});
list(
  ticks.listTicks,
  ({ scheduleId, limit, before, status, from, to }: Given) => ({
    path: `/v1/schedules/${e(String(scheduleId))}/ticks`,
    query: { limit, status, from, to } as RemoteRequest['query'],
    after: text(before),
  }),
  { isOutcome: true },
);
route(ticks.previewSchedule, ({ id, count }: { id: string; count?: number }) => ({
  ...get(`/v1/schedules/${e(id)}/preview`),
  query: { count },
}));
route(ticks.previewExpression, (timing: object) => post('/v1/schedules/preview', timing));
route(ticks.runSchedule, (id: string) => post(`/v1/schedules/${e(id)}/run`));
route(ticks.backfillSchedule, ({ id, ...range }: { id: string }) =>
  post(`/v1/schedules/${e(id)}/backfill`, range),
);

// Webhooks.
list(webhooks.listWebhooks, ({ limit, before, workflowId }: Given) => ({
  path: '/v1/webhooks',
  query: { limit, workflowId } as RemoteRequest['query'],
  after: text(before),
}));
route(webhooks.showWebhook, (id: string) => get(`/v1/webhooks/${e(id)}`));
route(webhooks.createWebhook, (given: object) => post('/v1/webhooks', given));
route(
  webhooks.changeWebhook,
  ({ id, change, makesSecret }: { id: string; change: object; makesSecret?: boolean }) => {
    if (makesSecret === true) throw needsDatabase();
    return { method: 'PATCH', path: `/v1/webhooks/${e(id)}`, body: change };
  },
);
route(webhooks.deleteWebhook, (id: string) => ({ method: 'DELETE', path: `/v1/webhooks/${e(id)}` }), {
  value: (_, id: string) => ({ id }),
});
list(
  listWebhookEvents,
  ({ webhookId, limit, before, status }: Given) => ({
    path: `/v1/webhooks/${e(String(webhookId))}/events`,
    query: { limit, status } as RemoteRequest['query'],
    after: text(before),
  }),
  { isOutcome: true },
);
route(showWebhookEvent, ({ webhookId, eventId }: { webhookId: string; eventId: string }) =>
  get(`/v1/webhooks/${e(webhookId)}/events/${e(eventId)}`),
);

// Keys, and who changed what.
list(keys.listKeys, ({ limit, before }: Given) => ({
  path: '/v1/api-keys',
  query: { limit } as RemoteRequest['query'],
  after: text(before),
}));
route(keys.createKey, ({ expiresAt, ...given }: { expiresAt?: string | null }) =>
  post('/v1/api-keys', { ...given, ...(expiresAt === null ? {} : { expiresAt }) }),
);
ROUTES.set(keys.revokeKey, {
  isOutcome: true,
  isOperator: false,
  async perform(ask, [id]) {
    const path = `/v1/api-keys/${e(id as string)}`;
    const revoked = await ask({ method: 'DELETE', path });
    if (!revoked.ok) return revoked;
    const shown = await ask(get(path));
    return shown.ok ? { ok: true, value: shown.value.body } : shown;
  },
});
list(
  listAudit,
  ({ limit, before, actor, action, resourceType, resourceId, from, to, installation }: Given) => ({
    path: '/v1/audit',
    query: {
      limit,
      actor,
      action,
      resourceType,
      resourceId,
      from,
      to,
      installation,
    } as RemoteRequest['query'],
    after: text(before),
  }),
);
