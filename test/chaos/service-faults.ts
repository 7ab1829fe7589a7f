// What service-preload.ts does inside a process of the service, told by CHAOS_SERVICE.

export interface ServiceFaults {
  readonly seed: number;
  /** Its clock is wrong by so much. */
  readonly clockOffsetMs?: number;
  /**
   * Share of the commits of what is told to callers (starts, deliveries) after which the process ends with -9, before it has
   * answered anyone.
   */
  readonly diesAfterCommit?: number;
}
