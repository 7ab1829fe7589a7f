// Checks the structure of a normalised document against the schema, part by part, so that one broken node costs only
// its own errors and their number stays bounded.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';
import type { Reporter } from '../reporter.ts';
import { ajvProblems } from '../schema/ajv-problems.ts';
import { STRUCTURE } from '../schema/document.ts';

type Part = 'top' | 'node' | 'part';
/** Objects with more members than any field list could have are not worth listing one by one. */
const MAX_FIELDS = 500;
/** Of one object that are looked at: more than a report has. */
const MAX_ERRORS = 2_000;

let validators: Record<Part, ValidateFunction> | null = null;

/** Reports what is wrong with one object; true when it is sound. Nodes' config is left to their types. */
export function checkStructure(part: Part, value: Json, pointer: string, reporter: Reporter): boolean {
  if (isJsonObject(value)) {
    for (const [name, member] of Object.entries({ '': value, ...value }))
      if (name !== 'config' && isJsonObject(member) && Object.keys(member).length > MAX_FIELDS) {
        reporter.error(
          joinPointer(pointer, ...(name === '' ? [] : [name])),
          'too_large',
          `more than ${MAX_FIELDS} fields`,
        );
        return false;
      }
  }
  validators ??= compileValidators();
  const validate = validators[part];
  if (validate(part === 'top' && isJsonObject(value) ? withoutNodes(value) : value)) return true;
  const errors = validate.errors ?? [];
  reporter.errors(ajvProblems(errors.slice(0, MAX_ERRORS), { base: pointer, suggest: reporter.suggest }));
  reporter.leaveOut(Math.max(0, errors.length - MAX_ERRORS));
  return false;
}

/** Nodes are checked one by one; that there are some is checked here. */
function withoutNodes(value: JsonObject): JsonObject {
  return Array.isArray(value.nodes)
    ? { ...value, nodes: (value.nodes as readonly Json[]).slice(0, 1) }
    : value;
}

function compileValidators(): Record<Part, ValidateFunction> {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: false,
    validateSchema: false,
    logger: false,
  });
  const compile = (schema: JsonObject): ValidateFunction =>
    ajv.compile({ ...schema, $defs: STRUCTURE.definitions });
  return { top: compile(STRUCTURE.top), node: compile(STRUCTURE.node), part: compile(STRUCTURE.part) };
}
