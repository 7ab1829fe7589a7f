// What was sent, when, and what came back: counts, and what must not be.
import type { Input, Kind, Step } from './inputs/input.ts';
import type { Reply } from './send.ts';

/** An input on its way, in ms since the epoch. */
export interface Flight {
  readonly n: number;
  readonly kind: Kind;
  readonly from: number;
  to: number;
}

const MAX_SHOWN_CHARS = 300;

export class Journal {
  readonly flights: Flight[] = [];
  readonly inputs = new Map<Kind, number>();
  readonly statuses = new Map<string, number>();
  /** 503 that says when to come again, by its code. */
  readonly busy = new Map<string, number>();
  /** Answers of 5xx, and none at all. */
  readonly failures: string[] = [];

  begin(n: number, { kind }: Input): Flight {
    const flight = { n, kind, from: Date.now(), to: Number.POSITIVE_INFINITY };
    this.flights.push(flight);
    this.inputs.set(kind, (this.inputs.get(kind) ?? 0) + 1);
    return flight;
  }

  note({ n, kind }: Flight, step: Step, reply: Reply): void {
    const said = reply.kind === 'answer' ? String(reply.status) : reply.kind;
    count(this.statuses, said);
    if (reply.kind === 'silent') this.#fail(n, kind, step, 'no answer within a minute');
    if (reply.kind !== 'answer' || reply.status < 500) return;
    if (reply.status === 503 && reply.retryAfter !== undefined) count(this.busy, codeOf(reply.text));
    else this.#fail(n, kind, step, `${reply.status} ${reply.text.slice(0, MAX_SHOWN_CHARS)}`);
  }

  #fail(n: number, kind: Kind, { method, path, headers, body }: Step, what: string): void {
    const shown =
      body === undefined ? 'none' : `${body.length} long: ${body.toString().slice(0, MAX_SHOWN_CHARS)}`;
    this.failures.push(
      `input ${n} (${kind}) ${method} ${path.slice(0, MAX_SHOWN_CHARS)} ${JSON.stringify(headers)}, body ${shown}\n      -> ${what}`,
    );
  }
}

export function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function codeOf(text: string): string {
  return /"code":"([^"]*)"/.exec(text)?.[1] ?? 'none';
}
