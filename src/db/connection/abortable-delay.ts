// A delay that can be ended early, and leaves neither timer nor listener behind; and how long to wait between tries.

/** Milliseconds until the next try after so many failures in a row: a second at most, with jitter. */
export function backoffMs(failures: number): number {
  return Math.min(1000, 20 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2);
}

/** Resolves after `ms`, or when its function in `wakers` is called; rejects with the signal's reason. */
export function abortableDelay(ms: number, signal: AbortSignal, wakers?: Set<() => void>): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const leave = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      wakers?.delete(wake);
    };
    const wake = () => {
      leave();
      resolve();
    };
    const onAbort = () => {
      leave();
      reject(signal.reason);
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', onAbort, { once: true });
    wakers?.add(wake);
  });
}
