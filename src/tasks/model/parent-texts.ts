// The default prompt of a model task: its input, in which the outputs of model tasks are what these said, not their whole
// records, which repeat the conversation before them.
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

/** An output may be a list of records (of a `parallel`), or a map of them (of a join); deeper ones are the author's own. */
const MAX_DEPTH = 3;

/** The text of a prompt. `hasParents`: `input` is the outputs of the task's parents, by their ids. */
export function promptOfInput(input: Json, hasParents: boolean): Json {
  const said = saidIn(input, 0);
  if (!hasParents || !isJsonObject(said) || !isJsonObject(input)) return said;
  // One parent that is a model: its words alone.
  const [only, ...others] = Object.keys(said);
  return only !== undefined && others.length === 0 && isRecord(input[only]) ? said[only]! : said;
}

function saidIn(value: Json, depth: number): Json {
  if (isRecord(value)) return value.object ?? value.text ?? null;
  if (depth >= MAX_DEPTH) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => saidIn(one, depth + 1));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, saidIn(one, depth + 1)]));
}

/** The output of a model_inference, as converse.ts makes it. */
function isRecord(value: Json | undefined): value is JsonObject {
  return (
    isJsonObject(value) &&
    typeof value.text === 'string' &&
    typeof value.finishReason === 'string' &&
    typeof value.model === 'string' &&
    Array.isArray(value.messages) &&
    Array.isArray(value.toolCalls) &&
    isJsonObject(value.usage)
  );
}
