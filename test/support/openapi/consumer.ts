// What a client in TypeScript writes against the types that openapi-typescript makes of the document: the calls of README.
// Compiled by test/support/openapi/lint.ts beside the generated `openapi.d.ts`; it is not part of the project's own build.
import type { components, operations, paths } from './openapi.d.ts';

type BodyOf<T> = T extends { requestBody?: { content: { 'application/json': infer Body } } } ? Body : never;
type Answer<T, Status extends number> = T extends {
  responses: { [status in Status]: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

type Start = paths['/v1/workflows/{workflowId}/executions']['post'];

/** A definition, with a config that is not empty and without what has a default. */
export const hello: BodyOf<paths['/v1/workflows/{workflowId}']['put']> = {
  workflowId: 'hello',
  nodes: [
    { taskId: 'plan', taskType: 'model_inference', modelId: 'simulated/planner', config: { prompt: 'Plan' } },
    { taskId: 'total', taskType: 'aggregation', dependsOn: ['plan'], config: { strategy: 'collect' } },
  ],
  output: { texts: '$.tasks.total.output' },
  triggers: [{ type: 'schedule', name: 'daily', cronExpression: '0 9 * * *' }],
};
export const start: BodyOf<Start> = { input: { title: 'A typo in the docs' } };
export const event: BodyOf<paths['/v1/events']['post']> = {
  type: 'ticket.created',
  payload: { title: 'The printer is on fire' },
};
export const schedule: BodyOf<paths['/v1/schedules']['post']> = {
  workflowId: 'hello',
  name: 'hourly',
  cronExpression: '0 * * * *',
};
export const webhook: BodyOf<paths['/v1/webhooks']['post']> = { workflowId: 'hello', path: 'orders' };
export const tenant: BodyOf<paths['/v1/tenants']['post']> = { name: 'acme', settings: { colour: 'red' } };
export const key: BodyOf<paths['/v1/api-keys']['post']> = { name: 'ci', roles: ['editor'] };
export const callback: BodyOf<operations['answerCallback']> = { output: { ok: true } };

export function idOf(answer: Answer<Start, 202>): string {
  return answer.id;
}
export function costOf(run: components['schemas']['Run']): string | null {
  return run.costUsd;
}
export function codesOf(problem: components['schemas']['Problem']): string[] {
  return [problem.code, ...problem.errors.map(({ code }) => code)];
}

// @ts-expect-error a field that the service would refuse
export const misspelt: BodyOf<paths['/v1/schedules']['post']> = { ...schedule, cronExpresion: '0 * * * *' };
