// The stream of an execution: every end of a task once and in order, across breaks at any place, pauses and fan-outs.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import { failing, gate, graph, until, waiting } from '../support/engine.ts';
import { openService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await openService({ worker: true, listen: true });
});
afterAll(async () => {
  await service.engine!.expectSound();
  await service.close();
});

interface StreamEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: { readonly taskId?: string; readonly mapIndex?: number | null; readonly status: string };
}

const start = async (wanted: WorkflowDefinition): Promise<string> => {
  await service.engine!.apply(wanted);
  return await service.engine!.start(wanted.workflowId);
};

/** Reads until the stream ends or `enough` says so; then the connection is ended. */
async function follow(
  id: string,
  options: {
    lastEventId?: string;
    enough?: (events: readonly StreamEvent[]) => boolean;
    inQuery?: boolean;
  } = {},
): Promise<{ status: number; events: StreamEvent[]; type: string | null }> {
  const { lastEventId, enough = () => false, inQuery = false } = options;
  const stop = new AbortController();
  const query = inQuery ? `?lastEventId=${lastEventId}` : '';
  const response = await fetch(`${service.url}/v1/executions/${id}/events${query}`, {
    headers: lastEventId === undefined || inQuery ? {} : { 'last-event-id': lastEventId },
    signal: stop.signal,
  });
  const type = response.headers.get('content-type');
  const events: StreamEvent[] = [];
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const field = (name: string) =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const event = field('event');
        if (event !== undefined)
          events.push({ event, id: field('id') ?? null, data: JSON.parse(field('data')!) });
        if (enough(events)) return { status: response.status, events, type };
      }
    }
    return { status: response.status, events, type };
  } finally {
    stop.abort();
  }
}

const ends = (events: readonly StreamEvent[]) =>
  events
    .filter(({ event }) => event === 'task')
    .map(({ data }) => `${data.taskId}${data.mapIndex === null ? '' : `[${data.mapIndex}]`} ${data.status}`);
const statuses = (events: readonly StreamEvent[]) =>
  events.filter(({ event }) => event === 'execution').map(({ data }) => data.status);
const ids = (events: readonly StreamEvent[]) =>
  events.filter(({ event }) => event === 'task').map(({ id }) => Number(id));

describe('the events of an execution', () => {
  it('tell each task that ended, the status, and the end', async () => {
    const { opened, open } = gate();
    service.engine!.bodies.held = () => opened;
    const id = await start(graph('held -> b -> c'));
    const reading = follow(id);
    await until(async () => service.engine!.entered.includes('held'));
    open();
    const { events, type } = await reading;
    expect(type).toMatch(/^text\/event-stream/);
    expect(ends(events)).toEqual(['held completed', 'b completed', 'c completed']);
    expect(statuses(events).at(-1)).toBe('completed');
    expect(events.at(-1)).toMatchObject({ event: 'end', id: 'end', data: { id, status: 'completed' } });
    expect(events.find(({ event }) => event === 'task')!.data).toMatchObject({
      taskType: 'probe',
      attempt: 1,
    });
  });

  it('are all there for who comes after the end, and 204 for who has read it', async () => {
    const id = await start(graph('a -> b', { tasks: { b: failing() } }));
    await service.engine!.ended(id);
    const { events } = await follow(id);
    expect(ends(events)).toEqual(['a completed', 'b failed']);
    expect(statuses(events)).toEqual(['failed']);
    expect((await follow(id, { lastEventId: 'end' })).status).toBe(204);
    const headers = { 'last-event-id': 'x' };
    expect(await service.call('GET', `/v1/executions/${id}/events`, { headers })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/headers/last-event-id' }] },
    });
  });

  it('have numbers that rise, also for skipped, cancelled and never issued items', async () => {
    const wanted = graph('fan -> after; open', {
      failurePolicy: 'fail_fast',
      tasks: {
        fan: {
          taskType: 'parallel',
          config: {
            items: '{{ range(0, 9) }}',
            maxConcurrency: 3,
            task: { taskType: 'fail', config: { code: 'boom', message: 'no' } },
          },
        },
        open: {
          taskType: 'parallel',
          config: {
            items: [1, 2, 3],
            maxConcurrency: 1,
            task: { taskType: 'wait', config: { seconds: 3600 } },
          },
        },
      },
    });
    const id = await start(wanted);
    const run = await service.engine!.ended(id);
    const { events } = await follow(id);
    expect(ends(events).toSorted()).toEqual(
      run.tasks
        .map(
          ({ taskId, mapIndex, status }) => `${taskId}${mapIndex === null ? '' : `[${mapIndex}]`} ${status}`,
        )
        .toSorted(),
    );
    expect(run.tasks).toHaveLength(15);
    const numbers = ids(events);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  });

  it('go on after a break at any event, in the header or the query: none lost, none doubled', async () => {
    const text = 'a -> b; a -> c; b -> d; c -> d; d -> e; d -> f; e -> g; f -> g';
    const id = await start(graph(text, { tasks: { c: { conditionExpression: 'false' } } as never }));
    const whole = await service.engine!.ended(id).then(() => follow(id));
    const all = ids(whole.events);
    for (let n = 1; n <= all.length; n++) {
      const first = await follow(id, { enough: (events) => ids(events).length === n });
      expect(ids(first.events)).toEqual(all.slice(0, n));
      const rest = await follow(id, { lastEventId: String(all[n - 1]), inQuery: n % 2 === 0 });
      expect(ids(rest.events)).toEqual(all.slice(n));
    }
  });

  it('lose nothing over a run that is read with a break after every event while it goes on', async () => {
    const wanted = graph('fan -> tail', {
      tasks: {
        fan: {
          taskType: 'parallel',
          config: { items: '{{ range(0, 30) }}', maxConcurrency: 4, task: { taskType: 'probe', config: {} } },
        },
      },
    });
    const id = await start(wanted);
    const read: StreamEvent[] = [];
    for (let isOver = false; !isOver; ) {
      const last = read.filter(({ event }) => event === 'task').at(-1)?.id ?? '0';
      const { events } = await follow(id, {
        lastEventId: last,
        enough: (some) => some.some(({ event }) => event === 'task'),
      });
      read.push(...events);
      isOver = events.some(({ event }) => event === 'end');
    }
    expect(ends(read)).toHaveLength(32);
    expect(new Set(ends(read)).size).toBe(32);
  });

  it('tell a pause, a resume and a cancel', async () => {
    const id = await start(graph('w', { tasks: { w: waiting(3600) } }));
    const act = async (verb: string) => void (await service.call('POST', `/v1/executions/${id}/${verb}`));
    await until(async () => (await service.call('GET', `/v1/executions/${id}`)).body.status === 'running');
    const seen: string[] = [];
    const reading = follow(id, {
      enough: (events) => {
        seen.splice(0, seen.length, ...statuses(events));
        return false;
      },
    });
    await until(async () => seen.includes('running'));
    await act('pause');
    await until(async () => seen.includes('paused'));
    await act('resume');
    await until(async () => seen.lastIndexOf('running') > seen.indexOf('paused'));
    await act('cancel');
    const { events } = await reading;
    expect(statuses(events)).toEqual(['running', 'paused', 'running', 'cancelled']);
    expect(ends(events)).toEqual(['w cancelled']);
  });

  it('are read by many at once with one poll, and by nobody who has left', async () => {
    const { opened, open } = gate();
    service.engine!.bodies.crowd = () => opened;
    const id = await start(graph('crowd -> b'));
    const readers = Array.from({ length: 20 }, () => follow(id));
    const leaver = follow(id, { enough: (events) => events.length > 0 });
    await leaver;
    await until(async () => service.engine!.entered.includes('crowd'));
    open();
    for (const { events } of await Promise.all(readers))
      expect(ends(events)).toEqual(['crowd completed', 'b completed']);
  });

  it('have no HEAD, which would never end', async () => {
    const id = await start(graph('a'));
    expect((await service.call('HEAD', `/v1/executions/${id}/events`)).status).toBe(405);
  });
});

describe('a service that drains', () => {
  it('ends streams and waits politely', async () => {
    const draining = await openService({ worker: true, listen: true });
    const wanted = graph('w', { tasks: { w: waiting(3600) } });
    await draining.engine!.apply(wanted);
    const id = await draining.engine!.start(wanted.workflowId);
    const response = await fetch(`${draining.url}/v1/executions/${id}/events`);
    const reader = response.body!.getReader();
    await reader.read();
    const waited = fetch(`${draining.url}/v1/workflows/${wanted.workflowId}/executions?wait=60`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    await until(async () => (await draining.query('select from dagwright.workflow_executions')).length === 2);
    draining.service.health.drain();
    let text = '';
    for (let part = await reader.read(); !part.done; part = await reader.read())
      text += Buffer.from(part.value).toString();
    expect(text).toContain(': the service ends');
    expect((await waited).status).toBe(202);
    await draining.close();
  });
});
