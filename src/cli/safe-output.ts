// Everything that a command prints goes through here: what tenants and services wrote cannot act upon the terminal.
//   T1  Of control characters only the line feed is printed, and the sequences that this process made; all others, and what
//       reorders or breaks lines, are printed as escapes: `\u001b`.
//   T2  The escapes are JSON's, and JSON has such characters within its texts only: with --json the values stay the same.
import { randomInt } from 'node:crypto';
import type { Io, Output } from './io.ts';

/** Nobody outside this process knows it: no other text can pass for a sequence of ours. */
const MARK = Array.from({ length: 6 }, () => `;${randomInt(1000, 10_000)}`).join('');
const OWN = `\\u001b\\[(\\d+)${MARK}([A-Za-z])`;
const UNSAFE = '[^\\P{Cc}\\n]|[\\p{Bidi_Control}\\u2028\\u2029]';
const PRINTED = new RegExp(`${OWN}|${UNSAFE}`, 'gu');
const IN_ONE_LINE = new RegExp(`${OWN}|\\n|${UNSAFE}`, 'gu');

/** A control sequence of this process, for `Io` to print: of colours (`m`), or to move upon the screen. */
export function ownSequence(parameter: number, final: string): string {
  return `\u001b[${parameter}${MARK}${final}`;
}

/** T1, of what is written to a stream of the process. */
export function printed(text: string): string {
  return text.replace(PRINTED, (all, parameter?: string, final?: string) =>
    final === undefined ? escapeOf(all) : `\u001b[${parameter}${final}`,
  );
}

/** The text on one line, its line feeds as escapes too. Sequences of ours stay what they are, for {@link printed}. */
export function oneLine(text: string): string {
  return text.replace(IN_ONE_LINE, (all, _parameter?: string, final?: string) =>
    final === undefined ? escapeOf(all) : all,
  );
}

/** Lines after the first stand further in, so that none of them can pass for a line of ours. */
export function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

/** The same streams, through {@link printed}. */
export function withSafeOutput(io: Io): Io {
  return { ...io, stdout: safe(io.stdout), stderr: safe(io.stderr) };
}

function safe(output: Output): Output {
  return {
    write: (text) => output.write(printed(text)),
    get isTTY() {
      return output.isTTY;
    },
    get rows() {
      return output.rows;
    },
  };
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeOf(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
