// Variables of a tenant: named values that its definitions read as `variables.<name>`, changed without a new revision.

import type pg from 'pg';
import type { Json, JsonObject } from '../../core/json.ts';
import { type BoundedPage, findBoundedPage } from '../connection/byte-bounded.ts';
import type { Queryable } from '../connection/connection.ts';

export interface Variable {
  readonly name: string;
  readonly value: Json;
  readonly description: string | null;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface VariableChange {
  readonly name: string;
  readonly value: Json;
  /** Undefined: stays as it is. */
  readonly description?: string | null | undefined;
}

const COLUMNS = `name, value, description, created_by as "createdBy", created_at as "createdAt", updated_at as "updatedAt"`;

/** By name, fewer where they are large; `after` is the name to go on after. */
export async function findVariables(
  client: pg.ClientBase,
  tenantId: string,
  page: { readonly limit: number; readonly after: string | null },
): Promise<BoundedPage<Variable>> {
  return await findBoundedPage<Variable>(
    client,
    `select ${COLUMNS} from dagwright.workflow_variables
     where tenant_id = $1 and ($3::text is null or name collate "C" > $3) order by name collate "C" limit $2`,
    { values: [tenantId, page.limit + 1, page.after], limit: page.limit, json: ['value'] },
  );
}

export async function findVariable(
  client: pg.ClientBase,
  tenantId: string,
  name: string,
): Promise<Variable | null> {
  const { rows } = await client.query<Variable>(
    `select ${COLUMNS} from dagwright.workflow_variables where tenant_id = $1 and name = $2`,
    [tenantId, name],
  );
  return rows[0] ?? null;
}

/** Creates a variable; null where there is one of that name. */
export async function insertVariable(
  client: pg.ClientBase,
  tenantId: string,
  change: VariableChange,
  actor: string,
): Promise<Variable | null> {
  const { rows } = await client.query<Variable>(
    `insert into dagwright.workflow_variables (tenant_id, name, value, description, created_by) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, name) do nothing returning ${COLUMNS}`,
    [tenantId, change.name, JSON.stringify(change.value), change.description ?? null, actor],
  );
  return rows[0] ?? null;
}

/** Sets a variable, new or not. The same value again changes nothing. */
export async function upsertVariable(
  client: pg.ClientBase,
  tenantId: string,
  change: VariableChange,
  actor: string,
): Promise<{ readonly variable: Variable; readonly isNew: boolean }> {
  for (;;) {
    const made = await insertVariable(client, tenantId, change, actor);
    if (made !== null) return { variable: made, isNew: true };
    const { rows } = await client.query<Variable>(
      `update dagwright.workflow_variables set value = $3, description = case when $5 then $4 else description end,
         updated_at = case when value = $3 and (not $5 or description is not distinct from $4) then updated_at else clock_timestamp() end
       where tenant_id = $1 and name = $2 returning ${COLUMNS}`,
      [
        tenantId,
        change.name,
        JSON.stringify(change.value),
        change.description ?? null,
        change.description !== undefined,
      ],
    );
    // Deleted meanwhile: then it is new after all.
    if (rows[0] !== undefined) return { variable: rows[0], isNew: false };
  }
}

/** False: there was none. Executions that read it from then on fail with `missing_path`. */
export async function deleteVariable(
  client: pg.ClientBase,
  tenantId: string,
  name: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    'delete from dagwright.workflow_variables where tenant_id = $1 and name = $2',
    [tenantId, name],
  );
  return rowCount === 1;
}

/** The values behind these names, as far as they exist; for the engine. No names: no query. */
export async function loadVariables(
  db: Queryable,
  tenantId: string,
  names: readonly string[],
): Promise<JsonObject> {
  if (names.length === 0) return {};
  const { rows } = await db.query<{ variables: JsonObject | null }>({
    name: 'load_variables',
    text: `select json_object_agg(name, value) as variables from dagwright.workflow_variables
      where tenant_id = $1 and name = any($2)`,
    values: [tenantId, names],
  });
  return rows[0]?.variables ?? {};
}
