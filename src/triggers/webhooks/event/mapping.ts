// A webhook's inputMapping: from an event to the input of an execution.
import type { Result } from '../../../core/errors.ts';
import { ExpressionError } from '../../../core/expression/errors.ts';
import { compileMapping, evaluateMapping } from '../../../core/expression/mapping.ts';
import { readScope, type Scope } from '../../../core/expression/scope.ts';
import { isJsonObject, type Json, toStorableJson } from '../../../core/json.ts';
import { checkReads } from './event-reads.ts';
import { EVENT_ROOTS } from './event-scope.ts';

/**
 * Compiles a mapping over the scope of an event; a name that is not there is a problem already. Default: the body if it
 * is an object, else `{ body }`; of a GET the query. The function never throws: what cannot be evaluated on an event is a problem of code
 * `missing_path` or `expression`, what cannot be stored one of `unstorable_output` or `payload_too_large`.
 */
export function compileInputMapping(
  mapping: Json | undefined,
  pointer = '/inputMapping',
): Result<(scope: Scope) => Result<Json>> {
  if (mapping === undefined || mapping === null)
    return { ok: true, value: (scope) => storable(defaultInput(scope), pointer) };
  const compiled = compileMapping(mapping, pointer, { roots: EVENT_ROOTS });
  if (!compiled.ok) return compiled;
  const problems = checkReads(compiled.value.references);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: (scope) => {
      try {
        return storable(evaluateMapping(compiled.value, scope), pointer);
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        return { ok: false, problems: [{ pointer, code: error.code, message: error.message }] };
      }
    },
  };
}

function defaultInput(scope: Scope): Json {
  const body = readScope(scope, 'body') ?? null;
  if (body === null && readScope(scope, 'method') === 'GET') return readScope(scope, 'query') ?? {};
  return isJsonObject(body) ? body : { body };
}

function storable(value: Json, pointer: string): Result<Json> {
  const judged = toStorableJson(value);
  if (judged.ok) return { ok: true, value };
  return { ok: false, problems: [{ pointer, code: judged.code, message: `the input ${judged.message}` }] };
}
