// What a start may not ask for yet: each line of the list, refused with its text and at its place, and nothing starts.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NOT_SUPPORTED, type NotSupported } from '../../src/core/not-supported.ts';
import { graph } from '../support/engine.ts';
import { openService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openService();
});
afterAll(() => service.close());

const lines: NotSupported[] = Object.values(NOT_SUPPORTED);
it.each(lines.flatMap((line) => (line.place === 'start' ? [line] : [])))(
  'a start with $field is refused',
  async ({ message, example }) => {
    const definition = graph('a');
    await service.call('PUT', `/v1/workflows/${definition.workflowId}`, { body: definition });
    const path = `/v1/workflows/${definition.workflowId}/executions`;
    const { status, body } = await service.call('POST', path, { body: example.body });
    expect(status).toBe(422);
    expect(body.errors).toEqual([{ pointer: example.pointer, code: 'not_supported', message }]);
    expect(await service.query('select from dagwright.workflow_executions')).toEqual([]);
  },
);
