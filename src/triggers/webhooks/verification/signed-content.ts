// What is signed, by a template: `{id}.{timestamp}.{body}`. Its parts are those that the delivery brings; all else stands for itself.
import { SIGNED_PARTS } from '../../../core/trigger/webhook.ts';

export type SignedPart = (typeof SIGNED_PARTS)[number];
export type SignedTemplate = readonly (string | { readonly part: SignedPart })[];

/** Null where it names a part that there is none of, or has a brace too many. */
export function readTemplate(text: string): SignedTemplate | null {
  const pieces: (string | { readonly part: SignedPart })[] = [];
  for (const piece of text.split(/(\{[^{}]*\})/)) {
    if (piece === '') continue;
    if (!piece.startsWith('{')) {
      if (/[{}]/.test(piece)) return null;
      pieces.push(piece);
      continue;
    }
    const part = SIGNED_PARTS.find((name) => piece === `{${name}}`);
    if (part === undefined) return null;
    pieces.push({ part });
  }
  return pieces;
}

export function partsOf(template: SignedTemplate): ReadonlySet<SignedPart> {
  return new Set(template.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.part])));
}

/** The bytes that are signed, piece by piece. */
export function fillTemplate(
  template: SignedTemplate,
  values: { readonly [Part in SignedPart]: string | Buffer },
): readonly (string | Buffer)[] {
  return template.map((piece) => (typeof piece === 'string' ? piece : values[piece.part]));
}
