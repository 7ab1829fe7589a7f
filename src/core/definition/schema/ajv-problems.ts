// Turns Ajv's errors into problems a person can act on. Used for the definition itself, for task config, and for inputs
// and outputs. Schema members of ours: `x-hint` explains a pattern, `x-not-supported` marks what this release lacks.

import type { ErrorObject } from 'ajv';
import type { ProblemCode } from '../../codes/code.ts';
import type { Problem } from '../../errors.ts';
import { isJsonObject } from '../../json.ts';
import { refusalOf } from '../../not-supported.ts';
import { moreProblems, shortProblem } from '../../problem-report.ts';
import { joinPointer, shortPointer } from '../pointer.ts';
import { describeValue, quoteText } from '../quote-text.ts';

/** Finds a near name; bounded by its caller. */
export type Suggest = (name: string, candidates: readonly string[]) => string | null;

/** These only repeat what another error says better. */
const ECHOES: ReadonlySet<string> = new Set(['if', 'propertyNames']);

/** `base` goes before every pointer. At most `most` are told one by one. */
export function ajvProblems(
  errors: readonly ErrorObject[],
  options: { readonly base: string; readonly suggest: Suggest; readonly most?: number },
): Problem[] {
  const { base, suggest, most = Number.POSITIVE_INFINITY } = options;
  const told = errors.filter(({ keyword }) => !ECHOES.has(keyword));
  const problems = told.slice(0, most).map((error) => shortProblem(problemOf(error, base, suggest)));
  return told.length > problems.length
    ? [...problems, moreProblems(told.length - problems.length)]
    : problems;
}

/** What other workflow languages call a field, where no spelling is near it; or a wrong one is. */
const OTHER_WORDS: ReadonlyMap<string, string> = new Map([
  ['tasks', 'nodes'],
  ['steps', 'nodes'],
  ['jobs', 'nodes'],
  ['needs', 'dependsOn'],
]);

function problemOf(error: ErrorObject, base: string, suggest: Suggest): Problem {
  const pointer = shortPointer(base + error.instancePath);
  const params = error.params as Record<string, unknown>;
  const parent: Record<string, unknown> = isJsonObject(error.parentSchema) ? error.parentSchema : {};
  const got = describeValue(error.data);
  const problem = (code: ProblemCode, message: string, hint?: string | null): Problem => ({
    pointer,
    code,
    message,
    ...(hint != null && { hint }),
  });
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params.additionalProperty ?? params.unevaluatedProperty);
      const known = isJsonObject(parent.properties) ? Object.keys(parent.properties) : [];
      const meant = OTHER_WORDS.get(name);
      const near = meant !== undefined && known.includes(meant) ? meant : suggest(name, known);
      return {
        pointer: joinPointer(pointer, name),
        code: 'unknown_field',
        message: `${quoteText(name)} is not a field here`,
        ...(near !== null && { hint: `did you mean "${near}"?` }),
      };
    }
    case 'required': {
      const name = String(params.missingProperty);
      return {
        pointer: joinPointer(pointer, name),
        code: 'required',
        message: `${quoteText(name)} is missing`,
      };
    }
    case 'dependentRequired': {
      const name = String(params.missingProperty);
      const message = `${quoteText(name)} is missing: ${quoteText(String(params.property))} needs it`;
      return { pointer: joinPointer(pointer, name), code: 'required', message };
    }
    case 'not':
      if (typeof parent['x-not-supported'] === 'string')
        return { pointer, ...refusalOf({ what: parent['x-not-supported'] }) };
      return problem('invalid_value', `this value is excluded by "not", got ${got}`);
    case 'type': {
      const wanted = [params.type].flat().map(typeName).join(' or ');
      const quote = typeof error.data === 'number' && wanted === 'text' ? 'put it in quotes' : null;
      return problem('type', `must be ${wanted}, got ${got}`, quote);
    }
    case 'enum': {
      const allowed = Array.isArray(params.allowedValues) ? params.allowedValues : [];
      const names = allowed.filter((value): value is string => typeof value === 'string');
      const near = typeof error.data === 'string' ? suggest(error.data, names) : null;
      const list = allowed.slice(0, 20).map(describeValue).join(', ');
      return problem(
        'invalid_value',
        `must be one of ${list}; got ${got}`,
        near && `did you mean "${near}"?`,
      );
    }
    case 'const':
      return problem('invalid_value', `must be ${describeValue(params.allowedValue)}, got ${got}`);
    case 'pattern':
      return problem(
        'pattern',
        `${got} does not match ${String(params.pattern)}`,
        typeof parent['x-hint'] === 'string' ? parent['x-hint'] : null,
      );
    case 'format':
      return problem('format', `${got} is not a ${String(params.format)}`);
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return problem('range', `must be ${String(params.comparison)} ${String(params.limit)}, got ${got}`);
    case 'minLength':
    case 'maxLength':
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'maxProperties':
      return problem('range', sizeMessage(error.keyword, Number(params.limit)));
    case 'steps':
      return problem(
        'too_complex',
        String(error.message),
        'shorter texts, smaller lists, or simpler patterns',
      );
    case 'false schema':
      return problem('invalid_value', 'nothing is allowed here');
    default:
      return problem(
        'invalid_value',
        `${error.message ?? error.keyword}${error.data === undefined ? '' : `, got ${got}`}`,
      );
  }
}

function typeName(type: unknown): string {
  const names: Record<string, string> = {
    string: 'text',
    number: 'a number',
    integer: 'a whole number',
    boolean: 'true or false',
    object: 'an object',
    array: 'a list',
    null: 'null',
  };
  return typeof type === 'string' && Object.hasOwn(names, type) ? (names[type] ?? type) : String(type);
}

function sizeMessage(keyword: string, limit: number): string {
  const bound = keyword.startsWith('min') ? 'at least' : 'at most';
  const [one, many] = keyword.endsWith('Length')
    ? ['character', 'characters']
    : keyword.endsWith('Items')
      ? ['entry', 'entries']
      : ['field', 'fields'];
  return `must have ${bound} ${limit} ${limit === 1 ? one : many}`;
}
