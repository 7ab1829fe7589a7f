// Splits a string into literal text and expressions: `{{ … }}`, the `$.…` shorthand, and the escapes `\{{` and `$$`.
import type { Expression } from './ast.ts';
import { Cursor, SyntaxProblem } from './cursor.ts';
import { parseExpression } from './grammar.ts';

export type Template =
  | { readonly kind: 'text'; readonly text: string }
  /** The whole string is one expression: its value keeps its type. */
  | { readonly kind: 'whole'; readonly expression: Expression }
  | { readonly kind: 'joined'; readonly parts: readonly (string | Expression)[] };

/** Throws SyntaxProblem with a position in `text`. */
export function parseTemplate(text: string, roots: ReadonlySet<string>): Template {
  if (text.startsWith('$$.') || text.startsWith('$$[')) return parseParts(text, 1, roots);
  if (text.startsWith('$.') || text.startsWith('$[')) return parseShorthand(text, roots);
  return text.includes('{{') ? parseParts(text, 0, roots) : { kind: 'text', text };
}

/** A bare expression, or one wrapped wholly in `{{ }}`. */
export function parseBare(text: string, roots: ReadonlySet<string>): Expression {
  const cursor = new Cursor(text);
  cursor.skipSpace();
  const isWrapped = cursor.accept('{{');
  const expression = parseExpression(cursor, roots);
  cursor.skipSpace();
  if (isWrapped) {
    cursor.expect('}}', '"}}"');
    cursor.skipSpace();
  }
  if (!cursor.isAtEnd())
    cursor.fail(
      `expected an operator or the end, found ${cursor.found()}`,
      cursor.pos,
      isWrapped || text.includes('{{')
        ? 'this is an expression already: write it without {{ }}'
        : endHint(cursor),
    );
  return expression;
}

function parseShorthand(text: string, roots: ReadonlySet<string>): Template {
  const hint = 'a string that begins with "$." is an expression; write "$$." for the text itself';
  try {
    const cursor = new Cursor(text);
    const expression = parseExpression(cursor, roots);
    cursor.skipSpace();
    if (!cursor.isAtEnd())
      cursor.fail(`expected an operator or the end, found ${cursor.found()}`, cursor.pos, endHint(cursor));
    return { kind: 'whole', expression };
  } catch (error) {
    if (error instanceof SyntaxProblem)
      throw new SyntaxProblem(
        error.message,
        error.at,
        error.hint === undefined ? hint : `${error.hint}; ${hint}`,
      );
    throw error;
  }
}

function endHint(cursor: Cursor): string | undefined {
  const char = cursor.peek();
  if (char === '=') return 'compare with ==';
  if (char === '&' || char === '|') return `write ${char}${char}`;
  const name = cursor.peekName();
  if (name === 'and') return 'write &&';
  if (name === 'or') return 'write ||';
  return undefined;
}

function parseParts(text: string, from: number, roots: ReadonlySet<string>): Template {
  const parts: (string | Expression)[] = [];
  let literal = '';
  let pos = from;
  for (;;) {
    const open = text.indexOf('{{', pos);
    if (open === -1) break;
    if (open > 0 && text[open - 1] === '\\') {
      literal += `${text.slice(pos, open - 1)}{{`;
      pos = open + 2;
      continue;
    }
    literal += text.slice(pos, open);
    if (literal !== '') parts.push(literal);
    literal = '';
    const cursor = new Cursor(text, open + 2);
    parts.push(parseExpression(cursor, roots));
    cursor.skipSpace();
    if (!cursor.accept('}}'))
      cursor.fail(
        cursor.isAtEnd()
          ? 'the "{{" is never closed by "}}"'
          : `expected an operator or "}}", found ${cursor.found()}`,
        cursor.isAtEnd() ? open : cursor.pos,
        cursor.isAtEnd() ? 'write \\{{ for the text itself' : endHint(cursor),
      );
    pos = cursor.pos;
  }
  literal += text.slice(pos);
  if (literal !== '') parts.push(literal);
  const [first] = parts;
  if (parts.length === 0) return { kind: 'text', text: '' };
  if (parts.length > 1 || first === undefined) return { kind: 'joined', parts };
  return typeof first === 'string' ? { kind: 'text', text: first } : { kind: 'whole', expression: first };
}
