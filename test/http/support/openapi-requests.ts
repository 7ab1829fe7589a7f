// Requests made at random out of the application's own OpenAPI document, so that routes that are added later are tried too.
import { below, pick as pickBy } from '../../core/support/random.ts';

export interface Operation {
  readonly method: string;
  /** `/v1/webhooks/{id}/events`. */
  readonly path: string;
  readonly pathNames: readonly string[];
  readonly query: readonly { readonly name: string; readonly schema: Schema }[];
  readonly body: Schema | null;
}

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly examples?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** All operations of the document. */
export function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, told]) => {
      const { parameters = [], requestBody } = told as {
        parameters?: readonly { in: string; name: string; schema: Schema }[];
        requestBody?: { content: Record<string, { schema: Schema }> };
      };
      return {
        method: method.toUpperCase(),
        path,
        pathNames: [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]!),
        query: parameters.filter((one) => one.in === 'query'),
        body: requestBody === undefined ? null : (Object.values(requestBody.content)[0]?.schema ?? {}),
      };
    }),
  );
}

/** A value that mostly fits a schema; `text` is what a free text says. */
export function sampleOf(schema: Schema, random: () => number, text: string): unknown {
  const pick = <T>(values: readonly T[]): T => pickBy(random, values);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return pick(schema.enum);
  if (schema.anyOf !== undefined) return sampleOf(pick(schema.anyOf), random, text);
  switch (schema.type) {
    case 'object': {
      const wanted = Object.entries(schema.properties ?? {}).filter(
        ([name]) => schema.required?.includes(name) || random() < 0.3,
      );
      return Object.fromEntries(wanted.map(([name, one]) => [name, sampleOf(one, random, text)]));
    }
    case 'array':
      return Array.from({ length: below(random, 3) }, () => sampleOf(schema.items ?? {}, random, text));
    case 'integer':
    case 'number':
      return (
        (schema.minimum ?? 0) +
        below(random, Math.min(5, (schema.maximum ?? 100) - (schema.minimum ?? 0) + 1))
      );
    case 'boolean':
      return random() < 0.5;
    case 'null':
      return null;
    case 'string':
      if (schema.format === 'date-time') return '2030-01-01T00:00:00Z';
      if (schema.examples !== undefined && random() < 0.5) return pick(schema.examples);
      return pick(['same', 'same2', schema.pattern === undefined ? text : 'same3']);
    default:
      return random() < 0.5 ? { mark: text } : text;
  }
}
