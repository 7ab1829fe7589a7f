// A worker or a server that is open lets the caches of its process cool.
import { coolCaches } from '../core/cache.ts';

const EVERY_MS = 15_000;

/** Until what it returns is called. Several do no harm. */
export function keepCool(): () => void {
  const timer = setInterval(coolCaches, EVERY_MS).unref();
  return () => clearInterval(timer);
}
