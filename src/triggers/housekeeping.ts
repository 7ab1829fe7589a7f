// The scheduler's pass that deletes what the service keeps for a time only: small batches, one a second while there is more.
import type { Database } from '../db/connection/connection.ts';
import { deleteForgotten } from '../db/triggers/housekeeping.ts';

const MAX_ROWS = 2_000;
const EVERY_MS = 300_000;

export interface HousekeepingOptions {
  readonly database: Database;
  /** DAGWRIGHT_RETENTION_DAYS; 0: ticks and events are kept for ever. */
  readonly retentionDays: number;
}

/** `run` gives the number of deleted rows; between passes that found nothing five minutes go by. */
export function createHousekeepingPass({ database, retentionDays }: HousekeepingOptions): {
  readonly name: string;
  run(): Promise<number>;
} {
  let nextAtMs = 0;
  return {
    name: 'housekeeping',
    async run() {
      if (performance.now() < nextAtMs) return 0;
      const deleted = await deleteForgotten(database.engine, retentionDays, MAX_ROWS);
      const rows = Object.values(deleted).reduce((sum, n) => sum + n, 0);
      if (rows < MAX_ROWS) nextAtMs = performance.now() + EVERY_MS;
      return rows;
    },
  };
}
