// `batchSize` of a parallel: its items in parts of several, in their order, by number or by bytes.
import type { NodeDefinition } from '../core/definition/model.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import { invalidField } from './compile-config.ts';

/** What one part may hold at most. An item that is larger alone is a part of its own. */
export interface BatchSize {
  readonly count: number;
  readonly bytes: number;
}

/** Of a config as it was evaluated: a number of items, or `{ count, bytes }`; null: each item is a part. */
export function readBatchSize(node: NodeDefinition, value: Json): BatchSize | null {
  if (value === null) return null;
  const { count = null, bytes = null } = isJsonObject(value) ? value : { count: value };
  if (count === null && bytes === null)
    throw invalidField(node, 'batchSize', 'a number of items, or { count, bytes }', value);
  return { count: readSize(node, 'count', count), bytes: readSize(node, 'bytes', bytes) };
}

function readSize(node: NodeDefinition, field: string, size: Json): number {
  if (size === null) return Number.POSITIVE_INFINITY;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1)
    throw invalidField(node, 'batchSize', `a whole number from 1 as ${field}`, size);
  return size;
}

/** Bytes are those of a part as JSON. */
export function batchesOf(items: readonly Json[], size: BatchSize): readonly (readonly Json[])[] {
  const batches: Json[][] = [];
  let current: Json[] = [];
  let bytes = 0;
  for (const item of items) {
    // With its comma; the brackets of the first are one more.
    const own = Number.isFinite(size.bytes) ? Buffer.byteLength(JSON.stringify(item)) + 1 : 0;
    if (current.length > 0 && (current.length >= size.count || bytes + own > size.bytes)) {
      batches.push(current);
      current = [];
    }
    bytes = (current.length === 0 ? 1 : bytes) + own;
    current.push(item);
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

/** For each part the index of its first item, and behind them the number of items. */
export function startsOf(batches: readonly (readonly Json[])[]): readonly number[] {
  const starts = [0];
  for (const batch of batches) starts.push(starts.at(-1)! + batch.length);
  return starts;
}
