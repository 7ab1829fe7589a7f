// Writes the parts of documents that are made of the source: what stands between `<!-- made: NAME -->` and `<!-- end -->`.
// `npm run docs` after a change of a schema, a function, a code or a route; a test says when it was forgotten.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SECTIONS } from './sections.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MADE = /(<!-- made: ([a-z_ ]+) -->\n)[\s\S]*?(\n<!-- end -->)/g;

/** All documents for users, relative to the project. */
export function documents(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  return [
    'README.md',
    ...docs
      .filter((file) => file.endsWith('.md'))
      .sort()
      .map((file) => `docs/${file}`),
  ];
}

export const readDocument = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** The document as the source would have it. Throws where it asks for a section that there is none of. */
export async function remade(text: string): Promise<string> {
  const made = new Map<string, string>();
  for (const [, , name] of text.matchAll(MADE)) {
    const section = SECTIONS[name!];
    if (section === undefined)
      throw new Error(`there is no section "${name}" (test/support/docs/sections.ts)`);
    made.set(name!, await section());
  }
  return text.replace(
    MADE,
    (_, open: string, name: string, close: string) => `${open}${made.get(name)}${close}`,
  );
}

/** Of the text below the title, without its marks; empty where something else stands there. */
function firstSentence(text: string): string {
  const paragraph = /^# .+\n+([^\n#|<`].*)/m.exec(text)?.[1] ?? '';
  const plain = paragraph.replaceAll('**', '').replace(/\[([^\]]+)\]\([^)]+\)/g, '$1');
  return /^.*?\.(?=\s|$)/.exec(plain)?.[0] ?? '';
}

/** A list of all documents, for models: https://llmstxt.org. */
export function writeIndex(): string {
  const lines = documents().map((file) => {
    const text = readDocument(file);
    const title = /^# (.+)$/m.exec(text)?.[1] ?? file;
    const about = firstSentence(text);
    return `- [${title}](${file})${about === '' ? '' : `: ${about}`}`;
  });
  const more = [
    '- [The API](/openapi.json): OpenAPI 3.1, of a running service',
    '- [ARCHITECTURE.md](ARCHITECTURE.md): how it is built',
  ];
  return [
    '# Dagwright',
    '',
    '> Durable DAG workflows on nothing but PostgreSQL: every step is a committed checkpoint and knows its cost.',
    '',
    'Definitions are YAML or JSON; `npx dagwright schema` prints their JSON Schema, `npx dagwright validate FILE` says what is wrong, with line and column.',
    '',
    '## Docs',
    '',
    ...lines,
    ...more,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of documents()) {
    const text = readDocument(file);
    const now = await remade(text);
    if (now !== text) writeFileSync(join(ROOT, file), now);
  }
  writeFileSync(join(ROOT, 'llms.txt'), writeIndex());
}
