// An agent whose worker is killed in the middle of its conversation: the model server and the tools keep ledgers outside
// the database, so every call is counted whoever made it.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { WorkflowDefinition } from '../../src/core/definition/model.ts';
import { DEFAULT_TENANT_ID } from '../../src/db/resources/default-tenant.ts';
import { findExecution, findTasks } from '../support/executions.ts';
import { chat } from '../support/model.ts';
import { type ModelServer, openModelServer, type Turn } from '../support/model-server.ts';
import { apply, drained, expectSound, openScenario, type Scenario, start } from './support/scenario.ts';
import { until } from './support/supervisor.ts';

const TOOL_TURNS = 4;
/** 1,000 tokens in for each message so far and 10 out, at 2.5 and 10 dollars per million: five turns. */
const WHOLE_USD = '0.063';
const AGENTS = 8;

/** How long a tool runs: other agents are at other places of their conversations. */
const toolMs = (id: string, turn: number) => 200 + ((Number.parseInt(id.slice(-4), 16) * (turn + 1)) % 300);

let scenario: Scenario;
let server: ModelServer;
/** What the test does when a turn is asked for; true: it keeps the answer. */
let onTurn: (turn: number) => boolean = () => false;

const answer: Turn = ({ turn, body }) => {
  if (onTurn(turn)) return null;
  const messages = body.messages as readonly { content: string }[];
  const usage = { prompt_tokens: 1000 * messages.length, completion_tokens: 10 };
  const ms = toolMs(messages[0]!.content, turn);
  return turn < TOOL_TURNS
    ? chat([{ id: `call-${turn}`, name: 'look', arguments: JSON.stringify({ turn, ms }) }], { usage })
    : chat('done', { usage });
};

beforeAll(async () => {
  server = await openModelServer(answer);
  scenario = await openScenario();
  await apply(scenario, {
    workflowId: 'agent',
    maxRetries: 0,
    nodes: [
      {
        taskId: 'agent',
        taskType: 'model_inference',
        modelId: 'openai/gpt-4o',
        dependsOn: [],
        config: {
          prompt: '{{ execution.id }}',
          baseUrl: server.url,
          tools: [{ name: 'look', task: { taskType: 'ledger', config: { ms: '{{ task.input.ms }}' } } }],
        },
      },
    ],
  } as unknown as WorkflowDefinition);
});
afterAll(async () => {
  await scenario?.close();
  await server?.close();
});
afterEach(() => {
  onTurn = () => false;
});

const worker = () => scenario.supervisor.startReady(1, { outside: { allowedHosts: ['127.0.0.1'] } });
const toolStarts = (id: string) =>
  scenario.supervisor
    .readLedger()
    .filter(({ event, execution }) => event === 'start' && execution === id)
    .map(({ key }) => Number(key.split('#tool:')[1]));

/** Runs agents and kills their worker when `isDue`; another one takes over. */
async function runKilled(count: number, isDue: (ids: readonly string[]) => boolean) {
  const [victim] = await worker();
  const ids = await start(scenario, 'agent', count);
  await until('the moment to kill', () => isDue(ids));
  victim!.signal('SIGKILL');
  await victim!.exited;
  onTurn = () => false;
  const [successor] = await worker();
  await drained(scenario);
  const results = await Promise.all(ids.map(resultOf));
  successor!.signal('SIGTERM');
  await successor!.exited;
  return results;
}

async function resultOf(id: string) {
  const execution = await findExecution(scenario.database, DEFAULT_TENANT_ID, id);
  const [task] = await findTasks(scenario.database, DEFAULT_TENANT_ID, id);
  return { execution: execution!, task: task!, turns: turnsOf(id), tools: toolStarts(id) };
}

function turnsOf(id: string): number[] {
  return server.ledger
    .filter(({ body }) => (body.messages as { content: string }[])[0]!.content === id)
    .map(({ turn }) => turn);
}

function repeats(calls: readonly number[]): number {
  return calls.length - new Set(calls).size;
}

describe('an agent', () => {
  test('that is not killed makes each call once', async () => {
    const [only] = await worker();
    const [id] = await start(scenario, 'agent', 1);
    await drained(scenario);
    const { execution, turns, tools } = await resultOf(id!);
    expect(execution).toMatchObject({ status: 'completed', costUsd: WHOLE_USD });
    expect(turns).toEqual([0, 1, 2, 3, 4]);
    expect(tools).toEqual([1, 2, 3, 4]);
    only!.signal('SIGTERM');
    await only!.exited;
  });

  test('killed while it waits for a turn repeats that turn only, and costs the same', async () => {
    let isAsked = false;
    onTurn = (turn) => {
      isAsked ||= turn === 2;
      return turn === 2;
    };
    const [agent] = await runKilled(1, () => isAsked);
    const { execution, task, turns, tools } = agent!;
    expect(execution).toMatchObject({ status: 'completed', costUsd: WHOLE_USD });
    expect(turns).toEqual([0, 1, 2, 2, 3, 4]);
    expect(tools).toEqual([1, 2, 3, 4]);
    expect(task.costUsd).toBe(WHOLE_USD);
    expect(task.output).toMatchObject({ text: 'done', usage: { outputTokens: 50 } });
  });

  test('killed while a tool runs repeats that call only, under the same key', async () => {
    const [agent] = await runKilled(1, ([id]) => toolStarts(id!).includes(3));
    const { execution, turns, tools } = agent!;
    expect(execution).toMatchObject({ status: 'completed', costUsd: WHOLE_USD });
    expect(turns).toEqual([0, 1, 2, 3, 4]);
    expect(tools).toEqual([1, 2, 3, 3, 4]);
  });

  test('of eight whose worker is killed, none repeats more than one call, and each costs the same', async () => {
    const agents = await runKilled(
      AGENTS,
      (ids) => ids.flatMap(toolStarts).length >= (AGENTS * TOOL_TURNS) / 2,
    );
    const repeated = agents.map(({ turns, tools }) => repeats(turns) + repeats(tools));
    console.log(`kill -9 of ${AGENTS} agents: ${repeated.join(' ')} calls repeated`);
    expect(Math.max(...repeated)).toBeLessThanOrEqual(1);
    for (const { execution, task } of agents) {
      expect(execution).toMatchObject({ status: 'completed', costUsd: WHOLE_USD });
      expect((task.output as { toolCalls: unknown[] }).toolCalls).toHaveLength(TOOL_TURNS);
    }
  });

  test('leaves nothing behind', async () => {
    // The ledger has calls of tools, whose keys are no task's.
    await expectSound({ ...scenario, supervisor: { readLedger: () => [], complaints: () => ({}) } as never });
  });
});
