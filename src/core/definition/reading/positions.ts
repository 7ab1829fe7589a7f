// Where in an author's text what a JSON pointer names stands: line and column, for messages that an editor can follow. Asked
// only where there is something to say, so the text is read once more, as YAML, which JSON is.
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { pointerSegments } from '../pointer.ts';

/** From 1, in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Reading more takes longer than a position is worth. */
const MAX_CHARS = 2_000_000;
const TOLD = /^line (\d+), column (\d+): /;

export type Locate = (problem: { readonly pointer: string; readonly message: string }) => Position | null;

/** Null where a text cannot be read that far. A problem of the text itself tells its position by its message. */
export function positionsIn(text: string): Locate {
  const lines = new LineCounter();
  let document: Document.Parsed | null | undefined;
  const read = (): Document.Parsed | null => {
    if (text.length > MAX_CHARS) return null;
    try {
      return parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' });
    } catch {
      return null;
    }
  };
  return ({ pointer, message }) => {
    const told = TOLD.exec(message);
    if (told !== null) return { line: Number(told[1]), column: Number(told[2]) };
    document ??= read();
    const offset = document === null ? null : offsetOf(document, pointerSegments(pointer));
    if (offset === null) return null;
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
}

/** Of the name that leads to it, or of the element; of what holds it, where the text has no more of the path. */
function offsetOf(document: Document.Parsed, path: readonly string[]): number | null {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const segment of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isSeq(node)) {
      const item: unknown = node.items[Number(segment)];
      if (item === undefined) return offset;
      node = item;
      offset = startOf(item) ?? offset;
    } else if (isMap(node)) {
      const pair = pairOf(document, node, segment);
      if (pair === null) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else return offset;
  }
  return offset;
}

/** Of a map itself before what it merges. */
function pairOf(document: Document.Parsed, map: YAMLMap, name: string): Pair | null {
  const own = map.items.find(({ key }) => isScalar(key) && String(key.value) === name);
  if (own !== undefined) return own;
  for (const { key, value } of map.items) {
    if (!isScalar(key) || String(key.value) !== '<<') continue;
    const merged = [isSeq(value) ? value.items : value].flat();
    for (const one of merged) {
      const source: unknown = isAlias(one) ? one.resolve(document) : one;
      const found = isMap(source) && source !== map ? pairOf(document, source, name) : null;
      if (found !== null) return found;
    }
  }
  return null;
}

function startOf(value: unknown): number | null {
  const node: unknown = isPair(value) ? value.key : value;
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}
