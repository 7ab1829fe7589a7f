// Reads what the module loaded into the service (turns-preload.ts) writes down.
import { existsSync, readFileSync } from 'node:fs';
import { within } from '../chaos/arena.ts';

/** One turn of the service's main loop. */
export interface Turn {
  /** Its end, in ms since the epoch. */
  readonly at: number;
  readonly wallMs: number;
  /** Time of the main thread itself. */
  readonly cpuMs: number;
}

export interface Memory {
  readonly rss: number;
  readonly heapTotal: number;
  readonly heapUsed: number;
  readonly external: number;
}

type Line = ({ readonly kind: 'turn' } & Turn) | ({ readonly kind: 'memory' } & Memory);

export class Turns {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Those that ended at this moment or later. */
  since(at: number): Turn[] {
    return this.#lines().flatMap((line) => (line.kind === 'turn' && line.at >= at ? [line] : []));
  }

  /** The memory of the process after it has collected all that it can. */
  async collectedMemory(pid: number): Promise<Memory> {
    const memories = () => this.#lines().flatMap((line) => (line.kind === 'memory' ? [line] : []));
    const before = memories().length;
    process.kill(pid, 'SIGUSR2');
    if (!(await within(30_000, () => memories().length > before)))
      throw new Error('the service did not tell its memory');
    return memories().at(-1)!;
  }

  #lines(): Line[] {
    if (!existsSync(this.#file)) return [];
    const whole = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    return whole.map((line) => JSON.parse(line) as Line);
  }
}
