// The allocator that the image preloads, where this machine has it: the C library's keeps what large bodies have freed.
import { existsSync } from 'node:fs';

const FILE = ['x86_64', 'aarch64']
  .map((architecture) => `/usr/lib/${architecture}-linux-gnu/libjemalloc.so.2`)
  .find((file) => existsSync(file));

export const ALLOCATOR = FILE === undefined ? "the C library's" : 'jemalloc, as in the image';

/** For the process that is to have it. */
export const ALLOCATOR_ENVIRONMENT: Readonly<Record<string, string>> =
  FILE === undefined ? {} : { LD_PRELOAD: FILE, MALLOC_CONF: 'background_thread:true' };
