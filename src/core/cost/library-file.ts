// A data file of the price library, as its authors publish it between two releases of the package: checked, and then the same
// as the library's own data.
import type { Problem, Result } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { compileMatch, type ModelMatch } from './model-match.ts';
import { type LibraryProvider, rowsOfLibrary } from './price-library.ts';
import type { PriceRow } from './price-table.ts';

const MAX_PROBLEMS = 20;

/** A list of providers, or an object with `providers`. A model with a rule or a rate that cannot be read refuses the file. */
export function readLibraryFile(file: Json): Result<readonly PriceRow[]> {
  const providers = isJsonObject(file) ? file.providers : file;
  if (!Array.isArray(providers) || providers.length === 0)
    return {
      ok: false,
      problems: [problem('', 'is no data file of the price library: expected a list of providers')],
    };
  const problems = (providers as readonly Json[])
    .flatMap((provider, i) => checkProvider(provider, `/${i}`))
    .slice(0, MAX_PROBLEMS);
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: rowsOfLibrary(providers as unknown as readonly LibraryProvider[]) };
}

function checkProvider(provider: Json, pointer: string): Problem[] {
  if (!isJsonObject(provider) || typeof provider.id !== 'string' || !Array.isArray(provider.models))
    return [problem(pointer, 'is no provider: expected { id, models }')];
  return (provider.models as readonly Json[]).flatMap((model, i) => {
    const reason = isJsonObject(model) ? whyNot(model) : 'is an object';
    return reason === null ? [] : [problem(`${pointer}/models/${i}`, `a model ${reason}`)];
  });
}

/** By making the rows of the one model: what throws there cannot be read. */
function whyNot(model: JsonObject): string | null {
  if (typeof model.id !== 'string' || !isJsonObject(model.match)) return 'has an id and a match';
  if (!isJsonObject(model.prices) && !Array.isArray(model.prices)) return 'has prices';
  try {
    const [row] = rowsOfLibrary([{ id: 'x', models: [model as never] }]);
    compileMatch((row!.match ?? { equals: row!.model }) as ModelMatch);
    return Number.isNaN(row!.effectiveFrom.getTime()) ? 'has dates that can be read' : null;
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const problem = (pointer: string, message: string): Problem => ({ pointer, code: 'validation', message });
