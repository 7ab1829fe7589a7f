// The roles of the database, known without loading what migrations need.

/** The three roles of the database. The owner owns both schemas; the engine sees all tenants; the tenant role is what `set local role` takes. */
export const ROLES = {
  owner: 'dagwright_owner',
  engine: 'dagwright_engine',
  tenant: 'dagwright_tenant',
} as const;
