// A definition as a picture: Mermaid's flowchart of its tasks and edges, as GitHub and editors draw it.
import { assertNever } from '../errors.ts';
import { storableText } from '../json.ts';
import type { Plan, PlanEdge, PlanNode } from '../plan/plan.ts';

/** Characters of a name in the picture. */
const MAX_LABEL = 80;
const ROUND_TYPES = new Set(['condition']);
const END_TYPES = new Set(['fail', 'terminate']);

/** The text of the picture. A condition is a rhombus, what ends something a hexagon; an edge says when it is taken. */
export function drawPlan(plan: Plan): string {
  const tasks = plan.nodes.map((node, i) => `  t${i}${shapeOf(node)}`);
  const edges = plan.nodes.flatMap((node, i) =>
    node.inEdges.map((edge) => `  t${edge.from} ${arrowOf(edge)} t${i}`),
  );
  return ['flowchart TD', ...tasks, ...edges].join('\n');
}

function shapeOf({ taskId, definition }: PlanNode): string {
  const { taskType, triggerRule, conditionExpression } = definition;
  const notes = [
    taskType,
    ...(triggerRule === undefined ? [] : [triggerRule]),
    ...(conditionExpression === undefined ? [] : ['if its condition holds']),
  ];
  const label = `"${textOf(taskId)}<br/><small>${notes.map(textOf).join(', ')}</small>"`;
  if (ROUND_TYPES.has(taskType)) return `{${label}}`;
  return END_TYPES.has(taskType) ? `{{${label}}}` : `[${label}]`;
}

function arrowOf({ branch, on, errors }: PlanEdge): string {
  if (branch !== null) return `-- "${textOf(branch)}" -->`;
  switch (on) {
    case 'success':
      return '-->';
    case 'failure':
      return `-. "${textOf(errors === null ? 'on failure' : `on ${errors.join(', ')}`)}" .->`;
    case 'any':
      return '-. "however it ends" .->';
    default:
      return assertNever(on);
  }
}

// Quotes end a label, and the rest of these begin something else in one.
function textOf(text: string): string {
  return storableText(text, MAX_LABEL)
    .replace(/\s+/g, ' ')
    .replace(/["#<>&;`\\[\]{}|]/g, (char) => `#${char.codePointAt(0)};`);
}
