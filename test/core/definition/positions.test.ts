// Where a pointer leads in an author's text.
import { describe, expect, test } from 'vitest';
import { positionsIn } from '../../../src/core/definition/reading/positions.ts';

function at(text: string, pointer: string, message = 'is wrong'): string | null {
  const found = positionsIn(text)({ pointer, message });
  return found === null ? null : `${found.line}:${found.column}`;
}

const YAML = `# a comment
workflowId: flow
nodes:
  - taskId: a
    config: &shared
      output: 1
  - taskId: b
    config:
      <<: *shared
      more: [x, { y: 1 }]
  - { taskId: c, config: *shared }
`;
const JSON_TEXT = `{
  "workflowId": "flow",
  "nodes": [
    { "taskId": "a", "config": { "a/b": [1, 2] } }
  ]
}`;

describe('a pointer', () => {
  test.each([
    ['', '2:1'],
    ['/workflowId', '2:1'],
    ['/nodes/0', '4:5'],
    ['/nodes/0/config/output', '6:7'],
    ['/nodes/1/config/more/1/y', '10:19'],
    ['/nodes/1/config/output', '6:7'],
    ['/nodes/2/config/output', '6:7'],
    ['/nodes/0/taskType', '4:5'],
    ['/nodes/9/taskType', '3:1'],
    ['/nowhere/at/all', '2:1'],
  ])('%s of YAML leads to %s', (pointer, place) => {
    expect(at(YAML, pointer)).toBe(place);
  });

  test.each([
    ['/workflowId', '2:3'],
    ['/nodes/0/taskId', '4:7'],
    ['/nodes/0/config/a~1b/1', '4:45'],
  ])('%s of JSON leads to %s', (pointer, place) => {
    expect(at(JSON_TEXT, pointer)).toBe(place);
  });

  test('of a text that cannot be read leads where its message says', () => {
    expect(at('a: [', '', 'line 3, column 7: not closed')).toBe('3:7');
  });

  test('of a text that is too long for it leads nowhere', () => {
    expect(at(`a: ${'x'.repeat(2_000_000)}`, '/a')).toBeNull();
  });
});
