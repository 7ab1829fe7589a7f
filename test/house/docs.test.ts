// Documents cannot drift: what is made of the source is current, every word and code stands in them, and every snippet holds.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/core/definition/reading/parse.ts';
import { definitionSchema } from '../../src/core/definition/schema/document.ts';
import { FUNCTIONS } from '../../src/core/expression/functions/registry.ts';
import { compileExpression, evaluateMapping } from '../../src/core/expression/mapping.ts';
import { isJsonObject, type Json } from '../../src/core/json.ts';
import { checkDocument } from '../../src/resources/definitions/check-document.ts';
import { EXAMPLE_INPUT, FUNCTION_EXAMPLES, OF_CONTEXT } from '../support/docs/function-examples.ts';
import { documents, readDocument, remade, writeIndex } from '../support/docs/write.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FILES = documents();

interface Block {
  /** `docs/recipes.md:17`. */
  readonly at: string;
  readonly language: string;
  readonly text: string;
}

function blocksOf(file: string): Block[] {
  const text = readDocument(file);
  return [...text.matchAll(/^[ ]*```(\w*)\n([\s\S]*?)^[ ]*```$/gm)].map((match) => ({
    at: `${file}:${text.slice(0, match.index).split('\n').length}`,
    language: match[1]!,
    text: match[2]!,
  }));
}
const BLOCKS = FILES.flatMap(blocksOf);
const blocksIn = (language: string): Block[] => BLOCKS.filter((one) => one.language === language);

describe('what is made of the source', () => {
  it.each(FILES)('%s is current', async (file) => {
    const text = readDocument(file);
    expect(await remade(text), 'stale: npm run docs').toBe(text);
  });

  it('llms.txt is current', () => {
    expect(writeIndex(), 'stale: npm run docs').toBe(readFileSync(join(ROOT, 'llms.txt'), 'utf8'));
  });
});

describe('words', () => {
  /** Names of fields, wherever in the schema. */
  function* wordsOf(schema: Json): Generator<string> {
    if (Array.isArray(schema)) for (const one of schema) yield* wordsOf(one as Json);
    if (!isJsonObject(schema)) return;
    for (const [name, member] of Object.entries(schema)) {
      if (name === 'examples' || name === 'default' || name === 'enum') continue;
      if (name === 'properties' && isJsonObject(member)) {
        for (const [word, field] of Object.entries(member))
          if (!(isJsonObject(field) && field['x-not-supported'] !== undefined)) yield word;
        for (const field of Object.values(member)) yield* wordsOf(field);
      } else yield* wordsOf(member as Json);
    }
  }

  it('of a definition all stand in docs/language', () => {
    const text = FILES.filter((file) => file.startsWith('docs/language'))
      .map(readDocument)
      .join('\n');
    const words = [...new Set(wordsOf(definitionSchema()))];
    expect(words.length).toBeGreaterThan(80);
    expect(words.filter((word) => !new RegExp(`\\b${word}\\b`).test(text))).toEqual([]);
  });

  it('each function has an example, which yields what it says', () => {
    for (const name of FUNCTIONS.keys()) {
      const examples = FUNCTION_EXAMPLES[name] ?? [];
      expect(examples.length > 0, name).toBe(!OF_CONTEXT.includes(name));
      for (const [text, value] of examples) expect([text, evaluate(text)]).toEqual([text, value]);
    }
    expect(Object.keys(FUNCTION_EXAMPLES).filter((name) => !FUNCTIONS.has(name))).toEqual([]);
  });
});

function evaluate(text: string): Json {
  const compiled = compileExpression(text, '');
  if (!compiled.ok) throw new Error(`${text}: ${compiled.problems[0]?.message}`);
  return evaluateMapping(compiled.value, { input: EXAMPLE_INPUT });
}

describe('settings', () => {
  /** Of the command line that speaks to a service. */
  const OF_CLIENTS = ['DAGWRIGHT_KEY', 'DAGWRIGHT_URL'];
  const folder = join(ROOT, 'src/cli/settings');
  const names = [
    ...new Set(
      readdirSync(folder).flatMap(
        (file) => readFileSync(join(folder, file), 'utf8').match(/\bDAGWRIGHT_[A-Z_]*[A-Z]\b/g) ?? [],
      ),
    ),
  ];

  it('of the environment all stand in docs/operations.md, and those of a service in .env.example', () => {
    expect(names.length).toBeGreaterThan(10);
    const [operations, example] = ['docs/operations.md', '.env.example'].map((file) =>
      readFileSync(join(ROOT, file), 'utf8'),
    );
    expect(names.filter((name) => !operations!.includes(name))).toEqual([]);
    expect(names.filter((name) => !OF_CLIENTS.includes(name) && !example!.includes(name))).toEqual([]);
  });

  it('of secrets are told in each form: of default, of one tenant, shared, bound to hosts', () => {
    for (const file of ['docs/operations.md', '.env.example'])
      for (const form of [
        /DAGWRIGHT_SECRET_(NAME|<NAME>|SHOP)/,
        /DAGWRIGHT_SECRET_(ACME|<TENANT>)\w*__/,
        /DAGWRIGHT_SHARED_SECRETS/,
        /DAGWRIGHT_SECRET_\w+_HOSTS/,
        /DAGWRIGHT_PROVIDER_KEYS_FOR/,
      ])
        expect([file, form.test(readFileSync(join(ROOT, file), 'utf8'))]).toEqual([file, true]);
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain('of the tenant `default`');
  });
});

describe('snippets', () => {
  it('that are definitions are valid, without a warning', async () => {
    const definitions = [...blocksIn('yaml'), ...blocksIn('json')].filter(({ text }) =>
      /^\W*workflowId\b/m.test(text),
    );
    expect(definitions.length).toBeGreaterThan(18);
    for (const { at, language, text } of definitions) {
      const parsed = parseDocument(text, language as 'yaml' | 'json');
      expect(parsed.ok ? [] : parsed.problems, at).toEqual([]);
      const checked = await checkDocument(parsed.ok && parsed.value, {
        taskTypes: new Map(),
        tenantName: 'default',
      });
      expect(checked.ok ? checked.warnings : checked.problems, at).toEqual([]);
    }
  });

  it('in JSON and YAML can be read; lines of a log each by itself', () => {
    const lines = blocksIn('json').flatMap(({ at, text }) =>
      /^\{.*\}\n\{/.test(text)
        ? text
            .trim()
            .split('\n')
            .map((line) => ({ at, language: 'json', text: line }))
        : [{ at, language: 'json', text }],
    );
    for (const { at, language, text } of [...blocksIn('yaml'), ...lines]) {
      const parsed = parseDocument(text, language as 'yaml' | 'json');
      expect(parsed.ok ? [] : parsed.problems, at).toEqual([]);
    }
  });

  it('that are expressions yield what they say', () => {
    const lines = blocksIn('expr').flatMap(({ text }) => text.trim().split('\n'));
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      const [text = '', value = ''] = line.split(' -> ');
      expect([line, evaluate(text)]).toEqual([line, JSON.parse(value)]);
    }
  });

  it('for a shell can be read by one', () => {
    const scripts = blocksIn('sh');
    expect(scripts.length).toBeGreaterThan(5);
    for (const { at, text } of scripts)
      expect(
        () => execFileSync('bash', ['-n'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] }),
        at,
      ).not.toThrow();
  });

  it('of README use what it says that they use, which is on all systems or named', () => {
    const text = readDocument('README.md');
    const everywhere = [
      'npm',
      'npx',
      'node',
      'cd',
      'echo',
      'export',
      'printf',
      'cut',
      'cat',
      'mkdir',
      'git',
      'docker',
    ];
    const used = blocksOf('README.md')
      .filter(({ language }) => language === 'sh')
      .flatMap((block) => [...block.text.matchAll(/(?:^|\||\$\(|&&)[ ]*([a-z][a-z0-9]*)(?=[ ])/gm)])
      .map((match) => match[1]!);
    const named = [...new Set(used)].filter((name) => !everywhere.includes(name));
    expect(named.length).toBeGreaterThan(2);
    const prose = text.replace(/```[\s\S]*?```/g, '');
    expect(named.filter((name) => !prose.includes(`\`${name}\``))).toEqual([]);
    for (const what of [/On Windows use/, /on Alpine/, /ends the service/, /dagwright db stop/])
      expect(prose).toMatch(what);
  });

  it('in TypeScript can be read', () => {
    for (const { at, text } of blocksIn('ts')) expect(() => stripTypeScriptTypes(text), at).not.toThrow();
  });

  it('say in which language they are', () => {
    expect(BLOCKS.filter(({ language }) => language === '').map(({ at }) => at)).toEqual([]);
  });
});

describe('links', () => {
  it.each(FILES)('of %s lead to what is there', (file) => {
    const text = readDocument(file).replace(/```[\s\S]*?```/g, '');
    const broken = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)]
      .map((match) => match[1]!)
      .filter((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? file : join(dirname(file), path);
        if (!existsSync(join(ROOT, target))) return true;
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  // As GitHub makes them.
  const anchorsOf = (file: string): string[] =>
    [...readDocument(file).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
});
