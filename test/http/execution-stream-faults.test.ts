// Streams whose reader stops reading, and streams whose database goes away: nobody is kept, nothing is lost or doubled.
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/db/connection/connection.ts';
import { createDatabase } from '../support/database.ts';
import { isFullDepth } from '../support/depth.ts';
import { gate, graph, until } from '../support/engine.ts';
import { testRequestLimits } from '../support/limits.ts';
import { startProxy } from '../support/proxy.ts';
import { openService, type TestService } from '../support/service.ts';

const connectionsOf = (service: TestService) =>
  new Promise<number>((resolve, reject) =>
    service.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );

/** Opens a stream and reads nothing until it is told to. */
function openUnread(service: TestService, id: string) {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  const received: Buffer[] = [];
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.pause();
  socket.write(`GET /v1/executions/${id}/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  return {
    closed,
    end: () => socket.destroy(),
    /** Reads what is there; whether that holds `text`. */
    take(text = ''): boolean {
      const before = received.length;
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) received.push(chunk as Buffer);
      return Buffer.concat(received.slice(Math.max(0, before - 1))).includes(text);
    },
    text: () => Buffer.concat(received).toString(),
  };
}

/** Reaches its database through a proxy; its worker has a way of its own. */
async function openFarService() {
  const probe = await createDatabase();
  const { hostname, port } = new URL(probe.url);
  await probe.drop();
  const proxy = await startProxy({ host: hostname, port: Number(port) });
  const service = await openService({
    worker: true,
    listen: true,
    settings: { streamHeartbeatMs: 200 },
    reach: (url) => openDatabase(proxy.urlOf(url), { forRequests: true, limits: testRequestLimits }),
  });
  return {
    ...{ service, proxy },
    async [Symbol.asyncDispose]() {
      await service.close();
      await proxy.close();
    },
  };
}

// It waits until the buffers of the system are full.
it.runIf(isFullDepth)('cuts off a reader that takes nothing, and no reader that is only slow', async () => {
  await using service = await openService({
    worker: true,
    listen: true,
    settings: { streamHeartbeatMs: 200, streamStalledMs: 3_000 },
  });
  const connections = () => connectionsOf(service);
  const wanted = graph('fan', {
    tasks: {
      fan: {
        taskType: 'parallel',
        config: {
          items: '{{ range(0, 25) }}',
          // Far more than the buffers of two sockets hold.
          task: { taskType: 'transformation', config: { output: 'x'.repeat(400_000) } },
        },
        outputMapping: 'done',
      },
    },
  });
  await service.engine!.apply(wanted);
  const id = await service.engine!.start(wanted.workflowId);
  expect((await service.engine!.ended(id)).execution.status).toBe('completed');
  const before = await connections();

  const stuck = openUnread(service, id);
  await until(async () => (await connections()) > before);
  await until(async () => (await connections()) === before);
  stuck.end();

  const slow = openUnread(service, id);
  for (let rests = 3; !slow.take('event: end'); await pause(1)) {
    if (rests-- > 0) await pause(1_500);
  }
  expect(slow.text().match(/^event: task$/gm)).toHaveLength(26);
  slow.end();
});

it('goes on after an outage of the database with each end once', async () => {
  await using far = await openFarService();
  const { service, proxy } = far;
  const { opened, open } = gate();
  service.engine!.bodies.held = () => opened;
  const wanted = graph('first -> held -> b -> c');
  await service.engine!.apply(wanted);
  const id = await service.engine!.start(wanted.workflowId);
  const reader = openUnread(service, id);
  const seen = (what: string) =>
    until(async () => {
      reader.take();
      return reader.text().includes(what);
    });
  await seen('"taskId":"first"');
  proxy.blackhole();
  open();
  expect((await service.engine!.ended(id)).execution.status).toBe('completed');
  // It is told that the stream lives, though nothing can be read.
  const beats = () => reader.text().split(': still here').length;
  const beatsBefore = beats();
  await until(async () => {
    reader.take();
    return beats() > beatsBefore;
  });
  expect(reader.text()).not.toContain('"taskId":"c"');
  proxy.heal({ forgets: true });
  await seen('event: end');
  const ends = [...reader.text().matchAll(/^event: task\nid: (\d+)\ndata: (.*)$/gm)].map(([, seq, data]) => ({
    seq: Number(seq),
    taskId: (JSON.parse(data!) as { taskId: string }).taskId,
  }));
  expect(ends.map(({ taskId }) => taskId)).toEqual(['first', 'held', 'b', 'c']);
  expect(ends.map(({ seq }) => seq)).toEqual([...new Set(ends.map(({ seq }) => seq))].sort((a, b) => a - b));
  reader.end();
});
