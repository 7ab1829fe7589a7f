/**
 * Milliseconds of processor time that this thread spends in `work`, which must be synchronous: what a bound on the size of
 * a computation is held against, since other load on the machine does not count.
 */
export function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
