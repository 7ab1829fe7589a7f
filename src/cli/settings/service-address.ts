// Where the service on the embedded database is reached, for commands that run beside it: a file in its folder, as long as
// its process lives. One that was killed leaves the file behind; its process id tells.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileIn = (home: string) => join(home, 'service.json');

/** Until the returned function is called. A folder that cannot be written is no reason not to serve. */
export function announceService(home: string, url: string): () => void {
  try {
    writeFileSync(fileIn(home), JSON.stringify({ url, pid: process.pid }));
  } catch {
    return () => {};
  }
  return () => {
    if (readAnnounced(home)?.pid === process.pid) rmSync(fileIn(home), { force: true });
  };
}

/** Null: none runs there. */
export function findServiceUrl(home: string): string | null {
  const announced = readAnnounced(home);
  return announced !== null && isAlive(announced.pid) ? announced.url : null;
}

function readAnnounced(home: string): { readonly url: string; readonly pid: number } | null {
  try {
    const { url, pid } = JSON.parse(readFileSync(fileIn(home), 'utf8')) as { url?: unknown; pid?: unknown };
    const isAnnounced = typeof url === 'string' && URL.canParse(url) && Number.isSafeInteger(pid);
    return isAnnounced ? { url, pid: Number(pid) } : null;
  } catch {
    return null;
  }
}

// EPERM: it lives, as somebody else's.
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
