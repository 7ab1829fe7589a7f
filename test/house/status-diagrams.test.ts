// ARCHITECTURE.md draws the status machines; they must be those of the code.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXECUTION_MOVES, TASK_MOVES } from '../../src/core/status.ts';

const text = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');

function drawn(title: string): string[] {
  const section = text.slice(text.indexOf(`<!-- ${title} -->`));
  const diagram = section.slice(
    section.indexOf('```mermaid'),
    section.indexOf('```', section.indexOf('```mermaid') + 10),
  );
  return [...diagram.matchAll(/^\s*(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} -> ${to}`).sort();
}

function coded(moves: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(moves)
    .flatMap(([from, targets]) => targets.map((to) => `${from} -> ${to}`))
    .sort();
}

describe('ARCHITECTURE.md', () => {
  it('names files that exist', () => {
    const root = new URL('../../', import.meta.url);
    const named = [...text.matchAll(/`([\w./-]*\/[\w.-]+\.(?:ts|sql))`/g)].map((match) => match[1]!);
    const places = ['', 'src/', 'src/db/'];
    const missing = named
      .filter((file) => !file.includes('NAME'))
      .filter((file) => !places.some((place) => existsSync(new URL(place + file, root))));
    expect(named.length).toBeGreaterThan(30);
    expect(missing).toEqual([]);
  });

  it('draws the moves of an execution as the code has them', () => {
    expect(drawn('execution statuses')).toEqual(coded(EXECUTION_MOVES));
  });

  it('draws the moves of a task as the code has them', () => {
    expect(drawn('task statuses')).toEqual(coded(TASK_MOVES));
  });
});
