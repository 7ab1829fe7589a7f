// Reads a file that an argument names: an ordinary one of bounded size, or a pipe that the shell has opened (`<(…)`,
// /dev/stdin). What never ends (/dev/zero), or never begins (a fifo that nobody writes to), is refused before it is read.
import { existsSync } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { MAX_DOCUMENT_BYTES } from '../../core/definition/reading/copy-document.ts';
import { ownExample } from '../own-examples.ts';
import { refuse } from '../refusal.ts';

const CHUNK_BYTES = 65_536;
/** The shell's own descriptors: their other end is open. */
const DESCRIPTOR = /^\/(?:dev\/fd|proc\/(?:self|\d+)\/fd)\/|^\/dev\/stdin$/;

/** The text of a file. A Refusal names the option that it came by, where there is one. */
export async function readTextFile(path: string, option = ''): Promise<string> {
  try {
    await requireReadable(path);
    return await readBounded(path);
  } catch (error) {
    if (error instanceof UnfitFile)
      throw refuse(error.code, `cannot read ${path}: ${error.message}`, undefined, option);
    throw refuse('not_found', `cannot read ${path}: ${(error as Error).message}`, exampleHint(path), option);
  }
}

// README names the examples as they are in a checkout; in a project they lie in the package.
function exampleHint(path: string): string | undefined {
  const name = /^(?:\.\/)?examples\/([\w.-]+)$/.exec(path)?.[1];
  if (name === undefined) return undefined;
  const own = ownExample(name);
  return existsSync(resolve(own)) ? `it is an example of this package: ${own}` : undefined;
}

class UnfitFile extends Error {
  readonly code: 'not_a_file' | 'too_large';
  constructor(code: UnfitFile['code'], message: string) {
    super(message);
    this.code = code;
  }
}

async function requireReadable(path: string): Promise<void> {
  // By name: to open a fifo is to wait for its writer.
  const found = await stat(path);
  if (found.isFile()) {
    if (found.size > MAX_DOCUMENT_BYTES) throw tooLarge();
    return;
  }
  if (found.isDirectory()) throw new UnfitFile('not_a_file', 'it is a folder');
  if (found.isFIFO() && (await isDescriptor(path))) return;
  throw new UnfitFile('not_a_file', 'it is a device, a pipe or a socket, not a file');
}

async function isDescriptor(path: string): Promise<boolean> {
  // What a descriptor leads to has no name of its own, and realpath says so.
  return DESCRIPTOR.test(path) || DESCRIPTOR.test(await realpath(path).catch(() => ''));
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path);
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return Buffer.concat(chunks).toString('utf8');
      bytes += bytesRead;
      if (bytes > MAX_DOCUMENT_BYTES) throw tooLarge();
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

function tooLarge(): UnfitFile {
  return new UnfitFile('too_large', `it is larger than ${MAX_DOCUMENT_BYTES} bytes`);
}
