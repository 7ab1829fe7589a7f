// Who may hold a connection, tried without sockets: whoever comes is let in, and who has waited for nothing for longest makes room.
import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { describe, expect, it } from 'vitest';
import { networkOf, readAddress } from '../../src/http/caller/client-address.ts';
import { createProxyCheck, isProxyEntry } from '../../src/http/caller/proxies.ts';
import { type ConnectionLimits, Connections } from '../../src/http/server/connections.ts';

const LIMITS: ConnectionLimits = { most: 12, strangers: 8, ofAddress: 3, ofKey: 5, bodyBytes: 1_000 };

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  isOpen = true;
  bytesRead = 0;
  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
  destroy(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.emit('close');
  }
}

function openDoor(options: { limits?: ConnectionLimits; isProxy?: (address: string) => boolean } = {}) {
  const server = new EventEmitter();
  let evicted = 0;
  const connections = new Connections({ limits: LIMITS, ...options, onEvicted: () => void evicted++ });
  connections.watch(server as unknown as Server);
  return {
    connections,
    evicted: () => evicted,
    connect(address: string): FakeSocket {
      const socket = new FakeSocket(address);
      server.emit('connection', socket);
      return socket;
    },
    /** A request begins; ends it. */
    ask(socket: FakeSocket): () => void {
      const response = new EventEmitter();
      server.emit('request', { socket, headers: {} }, response);
      return () => void response.emit('close');
    },
    /** A request with a body of which so much has come; brings the rest. */
    send(socket: FakeSocket, bytes: number): () => void {
      const request = Object.assign(new EventEmitter(), {
        socket,
        headers: { 'transfer-encoding': 'chunked' },
      });
      server.emit('request', request, new EventEmitter());
      socket.bytesRead += bytes;
      return () => void request.emit('end');
    },
    recognise: (socket: FakeSocket, key: string) => connections.recognise(socket as never, key),
  };
}

const open = (sockets: readonly FakeSocket[]) => sockets.map(({ isOpen }) => isOpen);

describe('strangers', () => {
  it('of one address have so many connections, and the newest gets in', () => {
    const door = openDoor();
    const crowd = Array.from({ length: 5 }, () => door.connect('203.0.113.1'));
    const other = door.connect('203.0.113.2');
    expect(open(crowd)).toEqual([false, false, true, true, true]);
    expect(other.isOpen).toBe(true);
    expect(door.evicted()).toBe(2);
  });

  it('of one IPv6 network are one holder, whatever addresses they take of it', () => {
    const door = openDoor();
    const crowd = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::3', '2001:db8::4', '2001:db8:0:1::4'];
    expect(open(crowd.map((address) => door.connect(address)))).toEqual([false, true, true, true, true]);
  });

  it('of many addresses have so many together, and leave the rest to those who show a key', () => {
    const door = openDoor();
    const crowd = Array.from({ length: 20 }, (_, i) => door.connect(`203.0.113.${i}`));
    expect(open(crowd).filter(Boolean)).toHaveLength(8);
    const honest = door.connect('198.51.100.1');
    door.ask(honest)();
    door.recognise(honest, 'k');
    for (let i = 0; i < 20; i++) door.connect(`203.0.113.${i}`);
    expect(honest.isOpen).toBe(true);
  });

  it('with a request under way stay while another is idle', () => {
    const door = openDoor();
    const [asking, idle] = [door.connect('203.0.113.1'), door.connect('203.0.113.1')];
    const end = door.ask(asking);
    door.connect('203.0.113.1');
    door.connect('203.0.113.1');
    expect([asking.isOpen, idle.isOpen]).toEqual([true, false]);
    end();
    // Answered, it is the youngest of the idle ones.
    door.connect('203.0.113.1');
    expect(asking.isOpen).toBe(true);
    door.connect('203.0.113.1');
    door.connect('203.0.113.1');
    expect(asking.isOpen).toBe(false);
  });

  it('that all have a request under way make room as well: half a body is no reason to stay', () => {
    const door = openDoor();
    const slow = Array.from({ length: 3 }, () => door.connect('203.0.113.1'));
    for (const socket of slow) door.ask(socket);
    expect(door.connect('203.0.113.1').isOpen).toBe(true);
    expect(open(slow)).toEqual([false, true, true]);
  });

  it('behind a trusted proxy are not counted by its address', () => {
    const door = openDoor({ isProxy: (address) => address === '10.0.0.1' });
    expect(open(Array.from({ length: 8 }, () => door.connect('10.0.0.1')))).not.toContain(false);
    expect(open(Array.from({ length: 4 }, () => door.connect('10.0.0.2')))).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });
});

describe('those who have shown a key', () => {
  it('are counted by it, wherever they come from', () => {
    const door = openDoor();
    const greedy = Array.from({ length: 7 }, (_, i) => {
      const socket = door.connect(`198.51.100.${i}`);
      door.ask(socket)();
      door.recognise(socket, 'greedy');
      return socket;
    });
    expect(open(greedy)).toEqual([false, false, true, true, true, true, true]);
  });

  it('give way when all is full and idle, and nobody is cut off in the middle of a request', () => {
    const door = openDoor({ limits: { ...LIMITS, ofKey: 100 } });
    const known = Array.from({ length: 12 }, (_, i) => {
      const socket = door.connect(`198.51.100.${i}`);
      const end = door.ask(socket);
      door.recognise(socket, `key ${i}`);
      return { socket, end };
    });
    expect(door.connect('198.51.100.99').isOpen, 'all are busy').toBe(false);
    known[4]!.end();
    expect(door.connect('198.51.100.99').isOpen).toBe(true);
    expect(known.map(({ socket }) => socket.isOpen).indexOf(false)).toBe(4);
    expect(known.filter(({ socket }) => !socket.isOpen)).toHaveLength(1);
  });
});

describe('bodies that do not come to their end', () => {
  const known = (door: ReturnType<typeof openDoor>, key: string) => {
    const socket = door.connect('198.51.100.1');
    door.recognise(socket, key);
    return socket;
  };

  it('hold so many bytes together: the largest of who has most goes, and nobody else', () => {
    const door = openDoor();
    const honest = known(door, 'honest');
    door.send(honest, 400);
    const hoard = [250, 300, 200].map((bytes) => {
      const socket = known(door, 'hoarder');
      door.send(socket, bytes);
      return socket;
    });
    door.connections.weighBodies();
    expect([honest, ...hoard].map(({ isOpen }) => isOpen)).toEqual([true, true, false, true]);
    door.connections.weighBodies();
    expect(door.evicted()).toBe(1);
  });

  it('are counted no more when they are there', () => {
    const door = openDoor();
    const ends = [400, 400, 400].map((bytes, i) => door.send(known(door, `key ${i}`), bytes));
    ends[0]!();
    door.connections.weighBodies();
    expect(door.evicted()).toBe(0);
  });
});

it('a connection that closes is not counted any more', () => {
  const door = openDoor();
  for (let i = 0; i < 100; i++) door.connect('203.0.113.1').destroy();
  expect(door.evicted()).toBe(0);
});

it('at the end those that never asked are closed', () => {
  const door = openDoor();
  const [silent, asked] = [door.connect('203.0.113.1'), door.connect('203.0.113.2')];
  door.ask(asked);
  door.connections.closeUnasked();
  expect([silent.isOpen, asked.isOpen]).toEqual([false, true]);
});

describe('an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:4711', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[2001:db8::7]:4711', '2001:db8::7'],
    ['"[2001:db8::7]"', '2001:db8::7'],
    ['unknown', null],
    ['_hidden', null],
    ['', null],
    ['203.0.113.999', null],
  ])('written as %j is %s', (text, address) => {
    expect(readAddress(text)).toBe(address);
  });

  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8::7', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:0DB8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s is of %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

it('trusted proxies are addresses and networks, of both families', () => {
  const isProxy = createProxyCheck(['10.0.0.0/8', '2001:db8::/32', '192.0.2.1']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8:1::1', '192.0.2.1'])
    expect([address, isProxy(address)]).toEqual([address, true]);
  for (const address of ['11.0.0.1', '2001:db9::1', '192.0.2.2', 'unknown', ''])
    expect([address, isProxy(address)]).toEqual([address, false]);
  for (const entry of ['10.0.0.0/33', 'proxy.example', '10.0.0.0/', '', '10.0.0.1/x'])
    expect([entry, isProxyEntry(entry)]).toEqual([entry, false]);
});
