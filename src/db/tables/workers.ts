// The tables of the workers themselves: who lives, and what it can do. No tenant data.
import { integer, json, jsonb, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { dagwright, instant } from './engine.ts';

/** One row per worker process: its lease. No tenant data. */
export const workers = dagwright.table('workers', {
  id: uuid().primaryKey(),
  /** Key of the session advisory lock that the heartbeat connection holds. */
  lockKey: integer('lock_key').generatedAlwaysAsIdentity().notNull(),
  host: text().notNull(),
  pid: integer().notNull(),
  concurrency: integer().notNull(),
  /** graphile-worker pools this process has had; unlocked when it is dead. */
  poolIds: text('pool_ids').array().notNull().default([]),
  startedAt: instant('started_at').notNull(),
  heartbeatAt: instant('heartbeat_at').notNull(),
  /** Since when it has beaten without a gap. */
  beatingSince: instant('beating_since').notNull(),
  leaseSeconds: integer('lease_seconds').notNull(),
  /** Until then at most it holds its other attempts back for a suspect. */
  suspectsUntil: instant('suspects_until'),
  /** The task types that it has: name to the hash of the config schema, null for built-in ones. Null: not known, of the release before. */
  types: jsonb(),
});

/** Task types beside the built-in ones that workers have registered, each schema of its config once. No tenant data. */
export const taskTypes = dagwright.table(
  'task_types',
  {
    type: text().notNull(),
    schemaHash: text('schema_hash').notNull(),
    configSchema: json('config_schema').notNull(),
    /** When a worker that has it last started. */
    registeredAt: instant('registered_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.type, t.schemaHash] })],
);
