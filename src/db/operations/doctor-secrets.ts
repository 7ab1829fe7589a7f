// What `doctor` asks about the secrets that are kept in the database: under which keys they are sealed.

import type pg from 'pg';
import type { Queryable } from '../connection/connection.ts';
import { ROLES } from '../connection/roles.ts';
import { inspect } from './doctor.ts';

export interface SealedUnder {
  /** Null: not sealed. */
  readonly keyId: string | null;
  readonly webhooks: number;
}

/** `{{ secrets.NAME }}` names a setting: it holds no secret, sealed or not. */
const REFERENCE = '^plain:[{][{][[:space:]]*secrets[.][A-Za-z_][A-Za-z0-9_]*[[:space:]]*[}][}]$';

/** Webhooks, also removed ones, which may return, by the keys of their secrets that still count; one with two is under both. */
export async function readSealingKeys(client: pg.Client): Promise<SealedUnder[]> {
  return await inspect(client, ROLES.engine, () => findSealingKeys(client as Queryable));
}

/** Which of these names, as variables have them (upper case, "_" for "-"), are no tenant's. */
export async function readUnknownTenants(client: pg.Client, names: readonly string[]): Promise<string[]> {
  return await inspect(client, ROLES.engine, async () => {
    const { rows } = await client.query<{ name: string }>(
      `select name from unnest($1::text[]) as given(name)
       where not exists (select from dagwright.tenants t where upper(replace(t.name, '-', '_')) = given.name)`,
      [names],
    );
    return rows.map(({ name }) => name);
  });
}

/** As {@link readSealingKeys}, on a connection of the engine's role. */
export async function findSealingKeys(db: Queryable): Promise<SealedUnder[]> {
  const { rows } = await db.query<SealedUnder>(
    `select case when starts_with(s->>'sealed', 'plain:') then null else split_part(s->>'sealed', '.', 2) end as "keyId",
       count(distinct w.id)::int as webhooks
     from dagwright.webhooks w cross join lateral jsonb_array_elements(w.secrets) as s
     where (s ? 'use' or coalesce((s->>'expiresAt')::timestamptz, 'infinity') > clock_timestamp())
       and s->>'sealed' !~ $1 group by 1`,
    [REFERENCE],
  );
  return rows;
}
