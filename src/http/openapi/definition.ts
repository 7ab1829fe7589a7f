// The JSON Schema of a definition as components of OpenAPI, and the body that a definition is sent as. The plugin would
// change the schema (it knows no patternProperties and no $defs), so it does not pass through it.
import { BUILTIN_TASK_TYPES } from '../../core/definition/schema/builtin-types.ts';
import { definitionSchema } from '../../core/definition/schema/document.ts';
import { TRIGGER_SCHEMAS } from '../../core/definition/schema/trigger-schema.ts';
import type { TaskTypeRule } from '../../core/definition/task-type.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

const ROOT = 'Definition';
const REF = '#/components/schemas/';
const componentOf = (name: string) => `${ROOT}${name[0]!.toUpperCase()}${name.slice(1)}`;

const YAML_EXAMPLE = `workflowId: hello
nodes:
  - taskId: greet
    taskType: transformation
    config: { output: "Hello {{ input.name }}" }
`;

/** `Definition`, `DefinitionNode` and so on. `rules`: of task types that are not built in. */
export function definitionComponents(rules: ReadonlyMap<string, TaskTypeRule>): Record<string, Json> {
  const {
    $schema: _,
    title: __,
    // The body of a document has an example, as YAML.
    examples: ___,
    $defs,
    ...top
  } = definitionSchema(new Map([...BUILTIN_TASK_TYPES, ...rules]));
  const parts = Object.entries({ ...($defs as JsonObject), ...triggerComponents() }).map(
    ([name, part]) => [componentOf(name), part] as const,
  );
  return relocated({ [ROOT]: top, ...Object.fromEntries(parts) }) as Record<string, Json>;
}

/** One of three by its type, which generators know; the schema for editors says the same by conditions, for better messages. */
function triggerComponents(): Record<string, Json> {
  const kinds = Object.entries(TRIGGER_SCHEMAS).map(
    ([kind, schema]) => [`${kind}Trigger`, kind, schema] as const,
  );
  return {
    trigger: {
      description: 'What starts the workflow.',
      oneOf: kinds.map(([name]) => ({ $ref: `#/$defs/${name}` })),
      discriminator: {
        propertyName: 'type',
        mapping: Object.fromEntries(kinds.map(([name, kind]) => [kind, `${REF}${componentOf(name)}`])),
      },
    },
    ...Object.fromEntries(kinds.map(([name, , schema]) => [name, schema])),
  };
}

/** Of a route that takes a document. */
export const DOCUMENT_BODY = {
  required: true,
  description: 'A definition, up to 10 MB.',
  content: {
    'application/json': { schema: { $ref: `${REF}${ROOT}` } },
    'application/yaml': {
      schema: { type: 'string', description: 'The same as YAML.' },
      example: YAML_EXAMPLE,
    },
  },
};

function relocated(value: Json): Json {
  if (Array.isArray(value)) return value.map(relocated);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === '$ref' && typeof member === 'string'
        ? member.replace(/^#\/\$defs\/(.+)$/, (_, part: string) => REF + componentOf(part))
        : relocated(member as Json),
    ]),
  );
}
