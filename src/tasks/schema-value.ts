// The TypeScript type of what fits a schema: of TypeBox, or a JSON Schema 2020-12 that is written in place. Types only.
import type { XStatic } from 'typebox/schema';

/** What fits; `Unknown` where the schema's own type says nothing of it, as `JsonObject` does. */
export type SchemaValue<Schema extends object, Unknown> = string extends keyof Schema
  ? Unknown
  : XStatic<Schema>;
