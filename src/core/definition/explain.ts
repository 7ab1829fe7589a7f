// `validate --explain`: how each join is understood, in plain words, and what each task has by `defaults`; one line per task.
import { assertNever } from '../errors.ts';
import { type JsonObject, storableText } from '../json.ts';
import type { Plan, PlanEdge, PlanNode } from '../plan/plan.ts';
import type { NodeDefinition, TriggerRule, WorkflowDefinition } from './model.ts';
import { hasDefaults } from './reading/defaults.ts';
import { filledFields } from './reading/filled-fields.ts';

/** Characters of one line, and of all: a task may name its branches to each that follows. */
const MAX_LINE_CHARS = 4_000;
const MAX_CHARS = 4_000_000;

/** Characters of the value of a default. */
const MAX_VALUE_CHARS = 60;

/** One line per task, in the order in which they can run. `definition`: as its author wrote it. */
export function explainPlan(plan: Plan, definition: WorkflowDefinition): string {
  const lines: string[] = [];
  let left = MAX_CHARS;
  const written = new Map(definition.nodes.map((node) => [node.taskId, node]));
  for (const node of plan.nodes) {
    const by = explainDefaults(definition, written.get(node.taskId), node.definition);
    const line = storableText(`${node.taskId}: ${explainNode(node, plan)}${by}`, MAX_LINE_CHARS);
    left -= line.length;
    if (left < 0) return [...lines, `… and ${plan.nodes.length - lines.length} more tasks`].join('\n');
    lines.push(line);
  }
  return lines.join('\n');
}

/** `; by defaults: timeoutSeconds 60, config.headers.x-team "a"`. */
function explainDefaults(
  { defaults }: WorkflowDefinition,
  written: NodeDefinition | undefined,
  effective: NodeDefinition,
): string {
  if (!hasDefaults(defaults) || written === undefined) return '';
  let told = '';
  for (const { to, value } of filledFields(
    defaults,
    written as unknown as JsonObject,
    effective as unknown as JsonObject,
  )) {
    told += `${told === '' ? '; by defaults: ' : ', '}${to.join('.')} ${storableText(JSON.stringify(value), MAX_VALUE_CHARS)}`;
    if (told.length > MAX_LINE_CHARS) break;
  }
  return told;
}

function explainNode(node: PlanNode, plan: Plan): string {
  const condition = node.definition.conditionExpression === undefined ? '' : ', if its condition holds';
  if (node.inEdges.length === 0) return `runs at the start${condition}`;
  if (node.triggerRule !== null) {
    const parents = node.inEdges.map((edge) => nameOf(edge, plan)).join(', ');
    return `runs when ${ruleInWords(node.triggerRule)} of (${parents})${condition}`;
  }
  const groups = node.groups.map((group) => {
    const names = group.map((at) => nameOf(node.inEdges[at]!, plan, node.drawn.get(at)));
    return names.length === 1 ? (names[0] ?? '') : `one of (${names.join(', ')})`;
  });
  return `runs after ${joinWords(groups)}${condition}`;
}

/** `a`, `a on failure (http_404)`, `gate taking "deep"`. `drawn`: branches that lead here by other edges. */
function nameOf(edge: PlanEdge, plan: Plan, drawn?: readonly string[]): string {
  const { taskId } = plan.nodes[edge.from]!;
  if (edge.branch !== null) return `${taskId} taking "${edge.branch}"`;
  if (edge.on === 'failure')
    return `${taskId} on failure${edge.errors === null ? '' : ` (${edge.errors.join(', ')})`}`;
  if (edge.on === 'any') return `${taskId}, however it ends`;
  if (drawn === undefined || drawn.length === 0) return taskId;
  return `${taskId} not taking ${drawn.map((branch) => `"${branch}"`).join(' or ')}`;
}

function ruleInWords(rule: TriggerRule): string {
  switch (rule) {
    case 'all_success':
      return 'all succeed';
    case 'all_done':
      return 'all have ended, however,';
    case 'all_failed':
      return 'all failed';
    case 'none_failed':
      return 'none failed';
    case 'none_failed_min_one_success':
      return 'none failed and one or more succeeded';
    case 'none_skipped':
      return 'none was skipped';
    case 'one_success':
      return 'the first succeeds';
    case 'one_failed':
      return 'the first fails';
    case 'one_done':
      return 'the first succeeds or fails';
    default:
      return assertNever(rule);
  }
}

function joinWords(parts: readonly string[]): string {
  return parts.length <= 1 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}
