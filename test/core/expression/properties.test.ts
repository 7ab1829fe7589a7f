// Properties over random texts and data: compiling only returns, evaluating only throws ExpressionError.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExpressionError } from '../../../src/core/expression/errors.ts';
import { FUNCTIONS } from '../../../src/core/expression/functions/registry.ts';
import {
  compileCondition,
  compileExpression,
  compileMapping,
  evaluateCondition,
  evaluateMapping,
} from '../../../src/core/expression/mapping.ts';
import { type Json, toStorableJson } from '../../../src/core/json.ts';
import { depth } from '../../support/depth.ts';
import { SCOPE, value } from './evaluate.ts';

const pieces = fc.constantFrom(
  ...[
    'input',
    '.name',
    '.items',
    '[0]',
    '[*]',
    '[-1]',
    '[?@.id > 1]',
    '..id',
    '.nope',
    '$',
    '$.',
    'tasks',
    'index',
  ],
  ...[
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '{{',
    '}}',
    ',',
    ':',
    '?',
    '??',
    '||',
    '&&',
    '==',
    '!=',
    '<',
    '>=',
    ' in ',
    '!',
  ],
  ...[
    '+',
    '-',
    '*',
    '/',
    '%',
    '1',
    '0.5',
    '1e9',
    "'a'",
    '"b"',
    'true',
    'null',
    ' ',
    '\\',
    "'",
    '"',
    '@',
    '\u{1F600}',
    '\uD800',
  ],
  ...[...FUNCTIONS.keys()].map((name) => `${name}(`),
);
const texts = fc.oneof(
  fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join('')),
  fc.string({ maxLength: 60, unit: 'binary' }),
);
/** Expressions that are mostly well formed, so that evaluation is reached. */
const expressions = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'node' },
    fc.constantFrom(
      'input.name',
      'input.items',
      'input.nope',
      'index',
      '0',
      '-1.5',
      "'a'",
      'null',
      'true',
      '[]',
      'input.items[*].id',
      'input',
    ),
    fc
      .tuple(tie('node'), fc.constantFrom('+', '-', '*', '/', '%', '==', '<', '>=', 'in', '??'), tie('node'))
      .map(([a, o, b]) => `(${a} ${o} ${b})`),
    fc.tuple(tie('node'), tie('node'), tie('node')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc
      .tuple(fc.constantFrom(...FUNCTIONS.keys()), fc.array(tie('node'), { maxLength: 3 }))
      .map(([name, args]) => `${name}(${args.join(', ')})`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `[${a}, ${b}]`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `{ k: ${a}, l: ${b} }`),
  ),
})).node;

function onlyExpressionErrors(evaluate: () => unknown): void {
  try {
    const result = evaluate();
    if (result !== undefined) JSON.stringify(result);
  } catch (error) {
    expect(error).toBeInstanceOf(ExpressionError);
  }
}

test('compiling any text returns a mapping or problems, and evaluating it throws nothing but ExpressionError', () => {
  fc.assert(
    fc.property(texts, (text) => {
      for (const compiled of [
        compileMapping(text, '/p'),
        compileMapping(`x {{${text}}}`, '/p'),
        compileExpression(text, '/p'),
      ]) {
        if (compiled.ok) onlyExpressionErrors(() => evaluateMapping(compiled.value, SCOPE));
        else
          for (const problem of compiled.problems)
            expect(problem).toMatchObject({ pointer: '/p', code: 'expression' });
      }
      const condition = compileCondition(text, '/p');
      if (condition.ok) onlyExpressionErrors(() => evaluateCondition(condition.value, SCOPE));
    }),
    { numRuns: depth(3000) },
  );
});

test('evaluating any well-formed expression gives JSON or an ExpressionError', () => {
  let evaluated = 0;
  fc.assert(
    fc.property(expressions, (text) => {
      const compiled = compileExpression(text, '');
      if (!compiled.ok) return;
      onlyExpressionErrors(() => {
        const result = evaluateMapping(compiled.value, SCOPE);
        evaluated++;
        expect(JSON.parse(JSON.stringify(result))).toEqual(result);
      });
    }),
    { numRuns: depth(3000) },
  );
  expect(evaluated).toBeGreaterThan(depth(300));
});

test('compiling any JSON as a mapping or condition returns', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (given) => {
      const mapping = compileMapping(given as Json, '');
      if (mapping.ok) onlyExpressionErrors(() => evaluateMapping(mapping.value, SCOPE));
      compileCondition(given as Json, '');
    }),
    { numRuns: depth(500) },
  );
});

test('a text without templates is itself, and an escaped one is what was meant', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const escaped = text.replaceAll('{{', '\\{{').replace(/^\$(?=[.[])/, '$$$$');
      const compiled = compileMapping(escaped, '');
      expect(compiled.ok && compiled.value.constant).toBe(text);
    }),
  );
});

test('== is an equivalence that agrees with JSON, and unique() with ==', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      // Integers beyond 2^53 never reach an expression: they are refused where values are stored.
      fc.pre(toStorableJson([a, b]).ok);
      const scope = { input: { a, b } };
      const isEqual = value('input.a == input.b', scope);
      expect(value('input.a == parseJson(json(input.a))', scope)).toBe(true);
      expect(isEqual).toBe(value('input.b == input.a', scope));
      expect(value('count(unique([input.a, input.b])) == 1', scope)).toBe(isEqual);
    }),
    { numRuns: depth(500) },
  );
});
