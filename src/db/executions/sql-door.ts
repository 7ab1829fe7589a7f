// Starts through the function that is documented for other services, on a connection and in a transaction of theirs.

/** A connection that is not ours. */
export interface ForeignClient {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export interface SqlStart {
  readonly workflowId: string;
  readonly input: unknown;
  readonly idempotencyKey?: string;
  readonly priority?: number;
  readonly metadata?: unknown;
  readonly runAt?: Date;
  readonly revision?: number;
}

/**
 * The id of the execution. One statement; the tenant of the session, which the service may use for its own tables, is afterwards
 * what it was.
 */
export async function startBySql(client: ForeignClient, tenantId: string, start: SqlStart): Promise<string> {
  const { runAt, revision } = start;
  // A login may have been given the older function by itself.
  const call =
    runAt === undefined && revision === undefined
      ? 'start_workflow($2, $3::jsonb, $4, $5::int, $6::jsonb)'
      : 'start_workflow_v2($2, $3::jsonb, $4, $5::int, $6::jsonb, $7::timestamptz, $8::int)';
  const more = call.includes('$7') ? [runAt?.toISOString() ?? null, revision ?? null] : [];
  const { rows } = await client.query(
    `with before as materialized (select coalesce(current_setting('app.current_tenant_id', true), '') as tenant),
       ours as materialized (select set_config('app.current_tenant_id', $1, true) as tenant from before),
       started as materialized (
         select dagwright.${call} as id from ours where tenant is not null)
     select started.id, set_config('app.current_tenant_id', before.tenant, true) from started cross join before`,
    [
      tenantId,
      start.workflowId,
      JSON.stringify(start.input ?? {}),
      start.idempotencyKey ?? null,
      start.priority ?? 5,
      start.metadata === undefined ? null : JSON.stringify(start.metadata),
      ...more,
    ],
  );
  return (rows[0] as { readonly id: string }).id;
}
