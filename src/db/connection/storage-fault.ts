// Whether an error says that the server's own files failed it: a disk with errors, one that the system has made read-only, a quota.
// (A full disk is 53100.) PostgreSQL has the class 58 for most of it; but EROFS becomes 42501, as if a right were missing, and EDQUOT
// XX000. What tells them is where in the server's source the error was raised, which no language changes.

/** Files of PostgreSQL's source that open, extend, read and write its own. */
const STORAGE: ReadonlySet<string> = new Set([
  'buffile.c',
  'bufmgr.c',
  'fd.c',
  'md.c',
  'slru.c',
  'smgr.c',
  'xlog.c',
]);
/** What errno becomes where PostgreSQL has no code of its own for it. */
const UNNAMED: ReadonlySet<string> = new Set(['42501', 'XX000']);

export function isStorageFault(error: unknown): boolean {
  const { code, file } = (error ?? {}) as { code?: unknown; file?: unknown };
  if (typeof code !== 'string') return false;
  return /^58...$/.test(code) || (UNNAMED.has(code) && typeof file === 'string' && STORAGE.has(file));
}
