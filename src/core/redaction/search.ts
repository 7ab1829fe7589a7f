// Where in a text secrets stand, in every form that they are known in: the text is searched as it is, and again after each
// layer of escapes that it has.
import { formsOf, MIN_SECRET_LENGTH } from './forms.ts';
import { PatternSet } from './pattern-set.ts';
import { type Layer, type Span, unescapeAll, unescapeOnce } from './unescape.ts';

/** Escapes of escapes: what is encoded twice, of a secret that looks like escapes itself, and one more. */
const MAX_LAYERS = 5;

/** Spans in order; they do not overlap. */
export type Search = (text: string) => readonly Span[];

/** Null where none of them is long enough to be looked for. */
export function createSearch(secrets: Iterable<string>): Search | null {
  const known = [...new Set(secrets)].filter(({ length }) => length >= MIN_SECRET_LENGTH);
  if (known.length === 0) return null;
  let patterns: PatternSet | null = null;
  return (text) => {
    if (text.length < MIN_SECRET_LENGTH) return [];
    patterns ??= new PatternSet(
      known.flatMap((secret) => [...formsOf(secret, unescapeAll(secret, MAX_LAYERS))]),
    );
    return joined(findInLayers(text, patterns));
  };
}

function findInLayers(text: string, patterns: PatternSet): Span[] {
  const found: Span[] = [];
  const layers: Layer[] = [];
  for (let plain = text; ; ) {
    for (const span of patterns.find(plain))
      found.push(layers.reduceRight((at, layer) => layer.source(at.start, at.end), span));
    const next = layers.length < MAX_LAYERS ? unescapeOnce(plain) : null;
    if (next === null) return found;
    layers.push(next);
    plain = next.text;
  }
}

function joined(spans: Span[]): readonly Span[] {
  if (spans.length < 2) return spans;
  const inOrder = spans.sort((a, b) => a.start - b.start || b.end - a.end);
  const apart: Span[] = [];
  for (const { start, end } of inOrder) {
    const last = apart.at(-1);
    if (last === undefined || start >= last.end) apart.push({ start, end });
    else if (end > last.end) apart[apart.length - 1] = { start: last.start, end };
  }
  return apart;
}
