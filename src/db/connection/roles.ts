// The roles of the database, known without loading what migrations need.

/**
 * The four roles of the database. The owner owns both schemas; the engine sees all tenants; the tenant role is what
 * `set local role` takes; the caller is for other services' logins, and may only call functions.
 */
export const ROLES = {
  owner: 'dagwright_owner',
  engine: 'dagwright_engine',
  tenant: 'dagwright_tenant',
  caller: 'dagwright_caller',
} as const;

/** Those that our own login takes. */
export const TAKEN_ROLES: readonly string[] = [ROLES.owner, ROLES.engine, ROLES.tenant];
