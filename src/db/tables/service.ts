// The tables of the service around the engine: keys, audit, first answers to repeated requests, variables. As engine.ts.
import { boolean, index, integer, jsonb, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { bytea, dagwright, instant, ownTenant } from './engine.ts';

/** Keys of the API: `dw_<id>_<secret>`; only a SHA-256 of the secret is kept. */
export const apiKeys = dagwright.table(
  'api_keys',
  {
    id: uuid().primaryKey(),
    tenantId: ownTenant(),
    name: text().notNull(),
    /** Whom it acts for, such as `user:alice`; null: for itself, `key:<id>`. */
    subject: text(),
    roles: text().array().notNull().default([]),
    scopes: text().array().notNull().default([]),
    secretHash: bytea('secret_hash').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
    /** To the minute. */
    lastUsedAt: instant('last_used_at'),
  },
  (t) => [index('api_keys_tenant').on(t.tenantId, t.id)],
);

/** Who changed what. Only ever appended to (functions/resources/audit.sql). */
export const auditLogs = dagwright.table(
  'audit_logs',
  {
    id: uuid().primaryKey(),
    /** Null: what belongs to the installation (service limits, prices). */
    tenantId: uuid('tenant_id'),
    at: instant('at').notNull(),
    actor: text().notNull(),
    /** `<resource>.<verb>`: `schedules.update`. */
    action: text().notNull(),
    resourceType: text('resource_type').notNull(),
    resourceId: text('resource_id').notNull(),
    oldValues: jsonb('old_values'),
    newValues: jsonb('new_values'),
    /** IP address of the client, where it came over HTTP. */
    address: text(),
    userAgent: text('user_agent'),
  },
  (t) => [
    index('audit_logs_tenant').on(t.tenantId, t.id),
    index('audit_logs_resource').on(t.tenantId, t.resourceType, t.resourceId, t.id),
  ],
);

/** First answers to POST requests with an Idempotency-Key, kept for 24 h. Starts have their own: idempotency_keys. */
export const idempotentRequests = dagwright.table(
  'idempotent_requests',
  {
    tenantId: ownTenant(),
    /** `POST /v1/schedules`. */
    route: text().notNull(),
    keyHash: bytea('key_hash').notNull(),
    requestHash: bytea('request_hash').notNull(),
    status: integer().notNull(),
    /** The body, JSON in UTF-8; sealed under the caller's key where it holds a secret. */
    answer: bytea().notNull(),
    isSealed: boolean('is_sealed').notNull().default(false),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.route, t.keyHash] }),
    index('idempotent_requests_created').on(t.createdAt),
  ],
);

export const workflowVariables = dagwright.table(
  'workflow_variables',
  {
    tenantId: ownTenant(),
    name: text().notNull(),
    value: jsonb().notNull(),
    description: text(),
    createdBy: text('created_by').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.name] })],
);
