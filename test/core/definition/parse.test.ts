import { describe, expect, test } from 'vitest';
import { type DocumentFormat, parseDocument } from '../../../src/core/definition/reading/parse.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { patience } from '../../support/patience.ts';

function parsed(text: string, format: DocumentFormat = 'auto'): unknown {
  const result = parseDocument(text, format);
  return result.ok ? result.value : result.problems.map(({ pointer, code }) => `${pointer} ${code}`);
}
function messages(text: string, format: DocumentFormat = 'auto'): string[] {
  const result = parseDocument(text, format);
  return result.ok ? [] : result.problems.map(({ message }) => message);
}

describe('what is accepted', () => {
  test.each([
    ['JSON', '{"a": [1, -2.5e3, true, null, "x\\n\\u00e9"]}', { a: [1, -2500, true, null, 'x\né'] }],
    ['YAML', 'a:\n  - 1\n  - x: "y"\n', { a: [1, { x: 'y' }] }],
    ['YAML in flow style', '{a: 1, b: [x]}', { a: 1, b: ['x'] }],
    ['YAML 1.2 words: on and yes are text', 'on: yes', { on: 'yes' }],
    ['anchors and merge', 'a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}', { a: { x: 1, y: 2 }, b: { x: 1, y: 3 } }],
    ['a byte order mark', '\uFEFF{"a": 1}', { a: 1 }],
    ['integers up to 2^53 - 1', 'a: 9007199254740991', { a: 9007199254740991 }],
    ['a YAML date as text', 'a: 2030-01-31', { a: '2030-01-31' }],
    ['100 aliases', `a: &a 1\nb: [${'*a,'.repeat(100)}]`, { a: 1, b: Array(100).fill(1) }],
  ])('%s', (_title, text, value) => {
    expect(parsed(text)).toEqual(value);
  });
});

describe('what is refused, and where', () => {
  test.each<[string, string, string[]]>([
    ['a repeated JSON key', '{"a": {"b": 1, "b": 2}}', ['/a/b duplicate_key']],
    ['a repeated YAML key', 'a: 1\na: 2', [' duplicate_key']],
    ['an integer beyond 2^53 in JSON', '{"a": 9007199254740993}', ['/a invalid_number']],
    ['an integer beyond 2^53 in YAML', 'a: 9007199254740993', [' invalid_number']],
    ['1e400 in JSON', '{"a": 1e400}', ['/a invalid_number']],
    ['1e400 in YAML', 'a: 1e400', ['/a invalid_number']],
    ['.inf', 'a: .inf', ['/a invalid_number']],
    ['__proto__ in JSON', '{"a": {"__proto__": {"x": 1}}}', ['/a/__proto__ forbidden_key']],
    ['__proto__ in YAML', 'a:\n  __proto__: 1', ['/a/__proto__ forbidden_key']],
    [
      'constructor and prototype',
      '{"constructor": 1, "prototype": 2}',
      ['/constructor forbidden_key', '/prototype forbidden_key'],
    ],
    ['NUL', '{"a": "\\u0000"}', ['/a unstorable_text']],
    ['a lone surrogate', '{"a": "\\ud800"}', ['/a unstorable_text']],
    ['an empty document', '', [' syntax']],
    ['two documents', 'a: 1\n---\nb: 2', [' syntax']],
    ['an unknown tag', 'a: !!js/function x', [' syntax']],
    ['an unresolved alias', 'a: *b', [' syntax']],
    ['a key that is no text', '? [a]\n: 1', [' syntax']],
    ['101 aliases', `a: &a 1\nb: [${'*a,'.repeat(101)}]`, [' too_many_aliases']],
    [
      'aliases that double',
      `a: &a [1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c]`,
      [' too_many_aliases'],
    ],
    ['an alias of its own parent', 'a: &a {b: *a}', ['/a/b/b/b/b/b/b/b too_deep']],
    ['depth in JSON', `${'['.repeat(20_000)}`, ['/0/0/0/0/0/0/0/0 too_deep']],
    ['depth in YAML', `a: ${'['.repeat(20_000)}`, [' too_deep']],
    ['depth of YAML lists', '- '.repeat(20_000), [' too_deep']],
    ['explicit keys within each other', '? '.repeat(20_000), [' too_deep']],
    ['more than 10 MB', ' '.repeat(10_000_001), [' too_large']],
  ])('%s', (_title, text, problems) => {
    expect(cpuMs(() => expect(parsed(text)).toEqual(problems))).toBeLessThan(patience(300));
  });

  test('messages name line and column', () => {
    expect(messages('{"a": 1,\n "a": 2}')[0]).toMatch(/^line 2, column 2: /);
    expect(messages('a: 1\nb: 2\na: 3')[0]).toMatch(/^line 3, column 1: /);
    expect(messages('{"a": 1,}', 'json')[0]).toMatch(/^line 1, column 9: .*found "}"/);
    expect(messages('a:\n\tb: 1')[0]).toMatch(/^line 2, column 1: /);
  });

  test('every repeated key and bad number is reported, not only the first', () => {
    expect(parsed('{"a": 1, "a": 2, "b": 1e999, "b": 3}')).toEqual([
      '/a duplicate_key',
      '/b invalid_number',
      '/b duplicate_key',
    ]);
  });

  test('JSON that was asked for is not read as YAML', () => {
    expect(parsed('{a: 1}', 'json')).toEqual([' syntax']);
  });

  test.each([
    '{',
    '[1,',
    '"a',
    '{"a"',
    '{"a":',
    '-',
    '1.',
    'tru',
    'nul',
    '{"a":1]',
    '\\',
    '{"\\',
    '\u0000',
    '[1 2]',
  ])('broken JSON %j is a syntax problem', (text) => {
    expect(parsed(text, 'json')).toEqual([expect.stringMatching(/ syntax$/)]);
  });

  test('what is not text is a problem, not an exception', () => {
    expect(parseDocument(5 as unknown as string).ok).toBe(false);
  });
});

describe('a template that is not quoted in YAML', () => {
  test.each([
    ['prompt: {{ input.x }}', 'line 1, column 9'],
    ['a: 1\nb:\n  - c: {{ input.x }} and more', 'line 3, column 8'],
    ['a: {{ input["x"] }}-{{ input.y }}', 'line 1, column 4'],
    ['- {{ input.x }}', 'line 1, column 3'],
    ['a: [1, {{ input.x }}]', 'line 1, column 8'],
  ])('%j is one problem, which says to quote it', (text, at) => {
    expect(parseDocument(text, 'yaml')).toEqual({
      ok: false,
      problems: [
        {
          pointer: '',
          code: 'syntax',
          message: `${at}: YAML reads a value that begins with {{ as a map, not as a text`,
          hint: 'put templates in quotes: "{{ … }}"',
        },
      ],
    });
  });

  test('each line has its own, and other errors keep their words', () => {
    const read = parseDocument('a: {{ x }}\nb: {{ y }}\n? {c: 1}\n: 2', 'yaml');
    expect(
      read.ok ? [] : read.problems.map(({ message, hint }) => [message.slice(0, 6), hint !== undefined]),
    ).toEqual([
      ['line 1', true],
      ['line 2', true],
      ['line 3', false],
    ]);
    expect(parseDocument('a: text {{ x }}\nb: "{{ y }}"', 'yaml')).toEqual({
      ok: true,
      value: { a: 'text {{ x }}', b: '{{ y }}' },
    });
  });
});
