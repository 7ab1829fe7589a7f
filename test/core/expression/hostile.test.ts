// Hostile inputs: nothing executes, nothing hangs, nothing grows.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { ExpressionError } from '../../../src/core/expression/errors.ts';
import {
  compileCondition,
  compileExpression,
  compileMapping,
  evaluateCondition,
  evaluateMapping,
} from '../../../src/core/expression/mapping.ts';
import { compileDocumentPath, selectFromDocument } from '../../../src/core/expression/path/document-path.ts';
import type { Json } from '../../../src/core/json.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { depth } from '../../support/depth.ts';
import { patience } from '../../support/patience.ts';
import { errorOf, fault, SCOPE, value } from './evaluate.ts';

const canary = globalThis as { dagwrightCanary?: unknown };
const SET = 'globalThis.dagwrightCanary=1';

/** Public payloads against jsonpath-plus (CVE-2024-21534, CVE-2025-1302), n8n and other sandboxes, and mutations. */
const PAYLOADS: readonly string[] = [
  `$..[?(@.constructor.constructor('${SET}')())]`,
  `$..[?(''.constructor.constructor('${SET}')())]`,
  `$[?(this.constructor.constructor('${SET}')())]`,
  `$..[?(p="${SET}";a=''[['constructor']][['constructor']](p);a())]`,
  `$[?(var _$_root=[].constructor.constructor("${SET}")();@root())]`,
  `$[(this.process.mainModule.require("child_process").execSync("${SET}"))]`,
  `$..[?(require('child_process').exec('${SET}'))]`,
  `$..[?(import('child_process'))]`,
  `$[?(new Function('${SET}')())]`,
  `$[?(eval('${SET}'))]`,
  `$[(() => { ${SET} })()]`,
  `$.[(${SET})]`,
  `$..[(@.length-1)]`,
  `$..[?(@.a = ${SET})]`,
  `$[?(@['constructor']['constructor']('${SET}')())]`,
  `$..[?(@["__proto__"].x = 1)]`,
  '$.__proto__.polluted',
  "$['__proto__']['polluted']",
  '$..constructor',
  "$..['prototype']",
  '$[?@.__proto__]',
  "$[?@['constructor'] == 1]",
  '$.a.constructor.prototype',
  `$..[?(@.__defineGetter__('x', eval))]`,
  `$..[?(@.__lookupGetter__('x'))]`,
  `$[?(_$_v.constructor.constructor('${SET}')())]`,
  `$[?(@root.constructor.constructor('${SET}')())]`,
  `$[?(@parent.constructor.constructor('${SET}')())]`,
  `$[?(@path.constructor.constructor('${SET}')())]`,
  `$..[?(/a/.constructor.constructor('${SET}')())]`,
  `$..[?(\`\${${SET}}\`)]`,
  `$[?(async()=>{${SET}})]`,
  `$[?((function(){${SET}})())]`,
  `$[?(Object.assign(@, {toString: 1}))]`,
  `$[?(Reflect.apply(Function, null, ['${SET}']))]`,
  `$[?(globalThis['dagwrightCanary'] = 1)]`,
  `$..[?(@.toString.call.call(Function, '${SET}')())]`,
  `$[?(with(@){${SET}})]`,
  `$.a@string()`,
  `$.a[?(@property.match(/a/))]`,
  `$..*[?(@ instanceof Object)]`,
  '$.a^.b',
  '$.a~',
  '$.`a`',
  `\u0024[?(\u0065val('${SET}'))]`,
  `$[?@.a == eval('${SET}')]`,
];
const EXPRESSIONS: readonly string[] = [
  `constructor.constructor('${SET}')()`,
  `input.constructor.constructor('${SET}')()`,
  `input['constr' + 'uctor']['constructor']`,
  `input[('__proto__')]`,
  `''.constructor`,
  `[].constructor`,
  `{}.constructor`,
  `({}).toString()`,
  `first.constructor('${SET}')`,
  `first['call']`,
  `this.process`,
  `process.env`,
  `globalThis.dagwrightCanary = 1`,
  `require('fs')`,
  `eval('${SET}')`,
  `Function('${SET}')()`,
  `(() => ${SET})()`,
  `function(){ ${SET} }`,
  `new Date()`,
  'input`x`',
  `input?.constructor`,
  `...input`,
  `input.name++`,
  `input.a; ${SET}`,
  `hasOwnProperty('x')`,
  `__proto__.x`,
  `toString()`,
  `valueOf()`,
  `__defineGetter__('x', 1)`,
];

afterEach(() => {
  expect(canary.dagwrightCanary).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

/** Runs and gives the milliseconds of processor time; anything but an ExpressionError fails the test. */
function timed(run: () => unknown): number {
  return cpuMs(() => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
    }
  });
}

const DATA: Json = { a: { b: 1, constructor: { constructor: 'x' } }, c: [1, { x: 'y' }] };

describe('hostile inputs', () => {
  test.each(PAYLOADS)('the path %s is refused', (payload) => {
    for (const text of [payload, payload.replaceAll("'", '"'), payload.replace('$', '$.input')]) {
      const path = compileDocumentPath(text, '');
      if (path.ok) selectFromDocument(path.value, DATA);
      expect(path.ok).toBe(false);
      for (const compiled of [
        compileMapping(text, ''),
        compileExpression(text, ''),
        compileCondition({ path: text, operator: 'exists' }, ''),
        compileMapping(`x {{ ${text} }}`, ''),
      ]) {
        expect(compiled.ok).toBe(false);
      }
    }
  });

  test.each(EXPRESSIONS)('the expression %s is refused or fails', (text) => {
    const scope = { ...SCOPE, input: JSON.parse('{"name":"x","a":1}') as unknown };
    const found = fault(text, scope);
    expect(found).toMatch(/^(problem|expression|missing_path): /);
  });

  test('members of Object.prototype are missing', () => {
    for (const name of ['toString', 'valueOf', 'hasOwnProperty', '__defineGetter__', 'isPrototypeOf'])
      expect(value(`exists(input.${name})`)).toBe(false);
  });

  test.each([
    '(a+)+$',
    '(a|aa)+$',
    '(.*)*x',
    '(x+x+)+y',
    '([a-z]+)*[0-9]',
    '(?:a?){30}a{30}',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(a?){900}a{900}',
    '.*a.*a.*a.*a.*b',
  ])('the pattern %s takes linear time, or fails soon', (pattern) => {
    const scope = {
      input: { text: `${'a'.repeat(400_000)}!`, pattern, texts: Array(500).fill('a'.repeat(1000)) },
    };
    expect(timed(() => value('match(input.text, input.pattern)', scope))).toBeLessThan(patience(500));
    expect(timed(() => value('search(input.text, input.pattern)', scope))).toBeLessThan(patience(500));
    expect(timed(() => value('input.texts[?search(@, $.input.pattern)]', scope))).toBeLessThan(patience(500));
  });

  test('look-around and back-references are refused', () => {
    for (const pattern of ['(?=a)', '(?<!a)b', '(a)\\\\1', 'a{2000}', '((a{100}){100})'])
      expect(fault(`search(input.name, '${pattern}')`)).toMatch(/^problem: .*RE2/);
  });

  test('deep nesting of an expression is refused', () => {
    for (const [open, close] of [
      ['(', ')'],
      ['[', ']'],
      ['{a:', '}'],
      ['!', ''],
      ['-', ''],
      ['first(', ')'],
      ['true ? 1 : ', ''],
    ]) {
      const text = `${open!.repeat(200)}1${close!.repeat(200)}`;
      expect(fault(text)).toContain('nested deeper than 64 levels');
    }
    expect(compileDocumentPath(`$${'[?@'.repeat(100)}${']'.repeat(100)}`, '').ok).toBe(false);
    expect(value(`${'('.repeat(60)}1${')'.repeat(60)}`)).toBe(1);
    expect(value(Array(1000).fill('1').join(' + '))).toBe(1000);
  });

  test('an expression of more than 4096 characters is refused', () => {
    expect(fault(`1${' + 1'.repeat(1100)}`)).toContain('at most 4096 characters');
    expect(fault(`input${'.a'.repeat(300)}`)).toContain('at most 512 characters');
    expect(fault('input..a..b..c')).toContain('at most 2 ".."');
  });

  test('a condition or mapping nested too deeply is refused', () => {
    let condition: Json = true;
    let mapping: Json = '{{ input.name }}';
    for (let i = 0; i < 20_000; i++) {
      condition = { not: condition };
      mapping = [mapping];
    }
    expect(compileCondition(condition, '').ok).toBe(false);
    expect(compileMapping(mapping, '').ok).toBe(false);
  });

  test('data that is 20,000 deep is an error within time, in every function that walks it', () => {
    let list: Json = [];
    let object: Json = {};
    for (let i = 0; i < 20_000; i++) {
      list = [list];
      object = { a: object };
    }
    const scope = {
      input: {
        list,
        object,
        same: structuredCloneDeep(20_000),
        text: '['.repeat(20_000) + ']'.repeat(20_000),
      },
    };
    for (const text of [
      'input..a',
      'input..*',
      'input..[*,0]',
      'input.list == input.same',
      'json(input.object)',
      'unique([input.list])',
      'string(input.list)',
      'parseJson(input.text)',
      'input.object[?@..a]',
    ]) {
      const took = timed(() => expect(fault(text, scope)).toMatch(/^expression: /));
      expect(took).toBeLessThan(patience(300));
    }
  });

  test('no function can build more than the limits, and none takes long to say so', () => {
    const big = 'a"'.repeat(500_000);
    const scope = {
      input: { big, list: Array.from({ length: 200_000 }, (_, i) => i), words: Array(100_000).fill('word') },
    };
    const nest = (name: string, times: number): string =>
      `${`${name}(`.repeat(times)}input.big${')'.repeat(times)}`;
    for (const text of [
      nest('json', 30),
      nest('base64', 60),
      `replace(input.big, 'a', input.big)`,
      `join(split(input.big, ''), input.big)`,
      `join(input.words, input.big)`,
      `concat(${Array(300).fill('input.big').join(', ')})`,
      `${Array(300).fill('input.big').join(' + ')}`,
      `concat(${Array(200).fill('range(100000)').join(', ')})`,
      `[${Array(200).fill('range(100000)').join(', ')}]`,
      `json([${Array(300).fill('input.big').join(', ')}])`,
      `unique(concat(${Array(100).fill('input.list').join(', ')}))`,
      `sort(concat(${Array(100).fill('input.words').join(', ')}))`,
      `range(1e9)`,
      `chunk(range(0, 99999), 0.1)`,
      `input.list[?@ in $.input.list]`,
      `input.list[?count($.input.list[*]) > 0]`,
    ]) {
      let found = '';
      const took = timed(() => {
        found = fault(text, scope);
      });
      expect([text.slice(0, 60), found]).toEqual([
        text.slice(0, 60),
        expect.stringMatching(/^(expression|problem): /),
      ]);
      expect([text.slice(0, 60), took < 1500]).toEqual([text.slice(0, 60), true]);
    }
  });

  test('a mapping that multiplies its data is refused', () => {
    const scope = { input: { big: 'x'.repeat(1_000_000) } };
    expect(errorOf(() => evaluateMapping(mustMap(Array(17).fill('{{ input.big }}')), scope))).toContain(
      'longer than 16000000',
    );
    expect(errorOf(() => evaluateMapping(mustMap('{{ input.big }}'.repeat(17)), scope))).toContain(
      'longer than 16000000',
    );
  });

  test('work over 1 MB of data stays linear', () => {
    const numbers = Array.from({ length: 150_000 }, (_, i) => (i * 7919) % 150_000);
    const scope = {
      input: { numbers, text: 'ab '.repeat(330_000), rows: numbers.slice(0, 30_000).map((id) => ({ id })) },
    };
    for (const text of [
      'count(unique(input.numbers))',
      'count(sort(input.numbers))',
      'count(split(input.text, " "))',
      'length(replace(input.text, "a", "bb"))',
      'count(input.rows[?@.id > 5])',
      'count(input.rows[*].id)',
      'count(input..id)',
      'json(input) == json(input)',
      'input.rows == parseJson(json(input.rows))',
    ]) {
      const took = timed(() => expect(fault(text, scope)).toMatch(/^value: /));
      expect([text, took < 1000]).toEqual([text, true]);
    }
  });

  test('distinct expressions leave the heap flat, however many', () => {
    // Without a collection before each reading the numbers would only show when V8 felt like it.
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const run = (from: number, to: number): number => {
      for (let i = from; i < to; i++) {
        const compiled = compileMapping(
          { a: `{{ input.f${i} ?? ${i} }}`, b: `$.input[*].g${i}[?@.x == ${i}]` },
          '',
        );
        if (compiled.ok) evaluateMapping(compiled.value, SCOPE);
      }
      gc();
      return process.memoryUsage().heapUsed;
    };
    const before = run(0, 5_000);
    const after = run(5_000, 5_000 + depth(50_000));
    expect((after - before) / 1e6).toBeLessThan(15);
  });

  test('a condition on hostile data only ever yields a boolean or an ExpressionError', () => {
    const scope = {
      input: JSON.parse('{"__proto__":{"yes":true},"constructor":1,"hasOwnProperty":2}') as unknown,
    };
    const compiled = compileCondition('input.yes', '');
    expect(compiled.ok && evaluateCondition(compiled.value, scope)).toBe(false);
  });
});

function mustMap(value: Json) {
  const compiled = compileMapping(value, '');
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

function structuredCloneDeep(levels: number): Json {
  let list: Json = [];
  for (let i = 0; i < levels; i++) list = [list];
  return list;
}
