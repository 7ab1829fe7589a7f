// Where a task's code threw, for the logs: an author who reads "Cannot read properties of undefined" needs the line.
// It is no part of the stored error, which is what others may see and what conditions read.
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ThrownAt } from '../../core/attempt-end.ts';
import { storableText } from '../../core/json.ts';
import type { Redact } from '../../core/redact.ts';

const MAX_FRAMES = 10;
const MAX_LINES = 50;
/** A longer line is no frame. */
const MAX_FRAME_LENGTH = 1_000;
const MAX_CAUSE_LENGTH = 1_000;
/** An error whose text is longer is not searched for frames: they stand at its end. */
const MAX_STACK_LENGTH = 1_000_000;
/** `src`, or what it was built to. */
const OWN = new URL('../../', import.meta.url);
const OWN_FILES: readonly string[] = [OWN.href, fileURLToPath(OWN)];
const PLACE = /(?<=^|\()((?:file:\/\/)?\/[^()?]*)(?:\?[^()]*)?(:\d+:\d+)\)?$/;

/** Null: it was no error, or does not know where it was thrown. Never throws. */
export function placeOf(failure: unknown, redact: Redact): ThrownAt | null {
  try {
    if (!(failure instanceof Error)) return null;
    const frames = framesOf(failure, redact);
    const own = frames.find(isOfAuthor);
    const cause = causeOf(failure, redact);
    if (frames.length === 0 && cause === undefined) return null;
    return {
      ...(own === undefined ? {} : { thrownAt: stored(shortFrame(PLACE.exec(own)![0].replace(/\)$/, ''))) }),
      stack: frames.slice(0, MAX_FRAMES).map((frame) => stored(shortFrame(frame))),
      ...(cause === undefined ? {} : { cause }),
    };
  } catch {
    // Authors throw anything, also errors whose stack or cause cannot be read.
    return null;
  }
}

// Redacted whole, before it is cut into lines: a secret of several lines would not be found.
function framesOf(failure: Error, redact: Redact): string[] {
  const { stack, message } = failure;
  if (typeof stack !== 'string' || stack.length > MAX_STACK_LENGTH) return [];
  // The message comes first, and may have lines that look like frames.
  const head = stack.indexOf(message);
  const clean = redact(head < 0 ? stack : stack.slice(head + message.length));
  const lines = clean.split('\n').filter((line) => line.length <= MAX_FRAME_LENGTH);
  const frames = lines.slice(0, MAX_LINES).flatMap((line) => /^\s+at (?:async )?(.+)$/.exec(line)?.[1] ?? []);
  // What called the task is the same for every task.
  const last = frames.findLastIndex(isOfAuthor);
  return last < 0 ? frames : frames.slice(0, last + 1);
}

function isOfAuthor(frame: string): boolean {
  return (
    PLACE.test(frame) && !frame.includes('/node_modules/') && !OWN_FILES.some((own) => frame.includes(own))
  );
}

/** Paths below the directory of the process without it. */
function shortFrame(frame: string): string {
  return frame.replace(PLACE, (text, file: string, position: string) => {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    const below = relative(process.cwd(), path);
    const place = (below.startsWith(`..${sep}`) ? path : below) + position;
    return text.endsWith(')') ? `${place})` : place;
  });
}

const stored = (text: string) => storableText(text, MAX_FRAME_LENGTH);

function causeOf({ cause }: Error, redact: Redact): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  return storableText(redact(cause.message || cause.name), MAX_CAUSE_LENGTH);
}
