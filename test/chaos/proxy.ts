// A TCP proxy between a worker and its database that can be slow, stall, or swallow everything while all sockets stay open.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Chance } from './statistics.ts';

export interface ProxyFaults {
  /** Every chunk, both ways, comes this much later. */
  readonly delayMs?: number;
  /** This share of chunks holds its connection up for `stallMs`. */
  readonly stallShare?: number;
  readonly stallMs?: number;
  /** Nothing comes through; when this ends it comes late, as TCP sends again what was not acknowledged. */
  readonly isCut?: boolean;
}

export interface DatabaseProxy {
  /** The database's URL through the proxy. */
  readonly url: string;
  faults: ProxyFaults;
  /** Of these connections nothing comes through any more, neither data nor the end; new ones are as good as ever. */
  lose(which: 'all' | 'listening'): void;
  /** When a connection began to listen for jobs, ms since the epoch. */
  readonly listens: readonly number[];
  close(): Promise<void>;
}

/** One direction of one connection. */
interface Direction {
  readonly from: Socket;
  readonly to: Socket;
  readonly isToDatabase: boolean;
  readonly line: Line;
  /** What waits until the cut ends, in order. */
  held: (() => void)[];
  /** When the last chunk goes on: what follows may not overtake it. */
  freeAt: number;
}

interface Line {
  isListening: boolean;
  isLost: boolean;
}

export async function openProxy(databaseUrl: string, chance: Chance): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const directions = new Set<Direction>();
  const listens: number[] = [];
  let faults: ProxyFaults = {};

  const goOn = (direction: Direction, act: () => void) => {
    if (faults.isCut || direction.held.length > 0) return void direction.held.push(act);
    const { delayMs = 0, stallShare = 0, stallMs = 0 } = faults;
    const now = performance.now();
    const at = Math.max(direction.freeAt, now + delayMs) + (chance.next() < stallShare ? stallMs : 0);
    direction.freeAt = at;
    if (at <= now) act();
    else setTimeout(act, at - now);
  };
  const pump = (direction: Direction) => {
    const { from, to, line, isToDatabase } = direction;
    directions.add(direction);
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      if (isToDatabase && chunk.includes('LISTEN "jobs:insert"') && !chunk.includes('UNLISTEN')) {
        line.isListening = true;
        listens.push(Date.now());
      }
      if (!line.isLost) goOn(direction, () => void (to.writable && to.write(chunk)));
    });
    from.on('error', () => {});
    // The other side of a lost connection hears of no end.
    from.on('close', () => {
      directions.delete(direction);
      if (!line.isLost) goOn(direction, () => to.destroy());
    });
  };

  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    const line: Line = { isListening: false, isLost: false };
    pump({ from: near, to: far, isToDatabase: true, line, held: [], freeAt: 0 });
    pump({ from: far, to: near, isToDatabase: false, line, held: [], freeAt: 0 });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(databaseUrl);
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    get faults() {
      return faults;
    },
    set faults(changed) {
      faults = changed;
      if (faults.isCut) return;
      for (const direction of directions) {
        const { held } = direction;
        direction.held = [];
        for (const act of held) act();
      }
    },
    lose(which) {
      for (const { line } of directions) line.isLost ||= which === 'all' || line.isListening;
    },
    listens,
    async close() {
      for (const { from, to } of directions) {
        from.destroy();
        to.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
