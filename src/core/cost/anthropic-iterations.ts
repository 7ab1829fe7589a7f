// Anthropic's `usage.iterations`: what one answer was sampled in. The counts beside them leave out what a compaction and an
// advisor took, and each iteration reaches a tier by its own size, so that each is a block of its own.
//   I1  A turn that a fallback served is counted beside the iterations, at the model that answered; the attempts before it
//       cost what they wrote before they were declined.
//   I2  What is counted for the whole answer only (searches, caches without iterations of their own) is charged once.
import type { Result } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { usageProblem } from './usage-counts.ts';

/** A usage block without iterations; `model` null: the one that answered. */
export interface UsageBlock {
  readonly model: string | null;
  readonly block: JsonObject;
}

const TYPES = ['compaction', 'message', 'advisor_message', 'fallback_message'];
const CACHE = ['cache_read_input_tokens', 'cache_creation_input_tokens', 'cache_creation'] as const;

/** The block itself where it has no iterations. */
export function splitIterations(usage: JsonObject): Result<readonly UsageBlock[]> {
  const { iterations = null, ...top } = usage;
  const whole: UsageBlock = { model: null, block: top };
  if (iterations === null) return { ok: true, value: [whole] };
  if (!Array.isArray(iterations)) return refused('/iterations', 'is a list');
  const all = iterations as readonly Json[];
  const odd = all.findIndex((one) => !isJsonObject(one) || !TYPES.includes(String(one.type)));
  if (odd >= 0) return refused(`/iterations/${odd}`, `is of type ${TYPES.join(', ')}`);
  const ofType = (type: string) => (all as readonly JsonObject[]).filter((one) => one.type === type);
  const advisors = ofType('advisor_message').map(ownBlock);
  const isFallback = ofType('fallback_message').length > 0;
  const own = [...ofType('compaction'), ...ofType('message')];
  if (isFallback) {
    const declined = ofType('message').filter(({ output_tokens }) => output_tokens !== 0);
    const before = [...ofType('compaction'), ...declined].map(ownBlock);
    return { ok: true, value: [whole, ...before, ...advisors] };
  }
  if (own.length === 0) return { ok: true, value: [whole, ...advisors] };
  const withCache = shareCache(own, top);
  if (!withCache.ok) return withCache;
  const blocks = withCache.value.map((block): UsageBlock => ({ model: null, block }));
  const [first, ...rest] = blocks;
  const fees: JsonObject = top.server_tool_use === undefined ? {} : { server_tool_use: top.server_tool_use };
  return {
    ok: true,
    value: [{ ...first!, block: { ...first!.block, ...fees } }, ...rest, ...advisors],
  };
}

function ownBlock({ type: _, model = null, ...block }: JsonObject): UsageBlock {
  return { model: typeof model === 'string' ? model : null, block };
}

/** I2: iterations that say nothing of caches leave them to the last message; how long they are kept is told for all only. */
function shareCache(own: readonly JsonObject[], top: JsonObject): Result<readonly JsonObject[]> {
  const blocks = own.map(({ type: _, model: __, ...block }) => block);
  if (!blocks.some((block) => CACHE.some((name) => (block[name] ?? null) !== null))) {
    const cache = Object.fromEntries(CACHE.flatMap((name) => (name in top ? [[name, top[name]!]] : [])));
    return { ok: true, value: [...blocks.slice(0, -1), { ...blocks.at(-1)!, ...cache }] };
  }
  const kept = isJsonObject(top.cache_creation) ? top.cache_creation : {};
  const isLong = ([name, tokens]: [string, Json]) => name !== 'ephemeral_5m_input_tokens' && tokens !== 0;
  const long = Object.entries(kept).filter(isLong);
  const writing = blocks.filter(
    (block) => (block.cache_creation ?? null) === null && (block.cache_creation_input_tokens ?? 0) !== 0,
  );
  if (long.length === 0 || writing.length === 0) return { ok: true, value: blocks };
  const [only] = long;
  const isAlone = long.length === 1 && (kept.ephemeral_5m_input_tokens ?? 0) === 0;
  if (isAlone)
    return {
      ok: true,
      value: blocks.map((block) =>
        writing.includes(block)
          ? { ...block, cache_creation: { [only![0]]: block.cache_creation_input_tokens! } }
          : block,
      ),
    };
  if (writing.length > 1)
    return refused('/cache_creation', 'tells of which iteration it is, where several wrote to a cache');
  return {
    ok: true,
    value: blocks.map((block) => (writing.includes(block) ? { ...block, cache_creation: kept } : block)),
  };
}

function refused(pointer: string, expected: string): Result<never> {
  return { ok: false, problems: [usageProblem(pointer, `${pointer.slice(1)} ${expected}`)] };
}
