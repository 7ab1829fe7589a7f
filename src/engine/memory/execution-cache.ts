// Loads executions and compiles their plans for a worker: rows are read in batches, plans once per revision.
import type pg from 'pg';
import { createCache } from '../../core/cache.ts';
import type { WorkflowDefinition } from '../../core/definition/model.ts';
import { applyDefaults } from '../../core/definition/schema/input-schema.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { Batcher } from '../../db/connection/batcher.ts';
import { untilAnswered } from '../../db/connection/connection.ts';
import { type ExecutionRow, loadDefinition, loadExecutions } from '../../db/protocol/reads.ts';
import type { TaskType } from '../../tasks/task-type.ts';
import { type CompiledPlan, compilePlan } from './compiled.ts';
import { FanOutItems } from './fan-out-items.ts';
import { HeldResults } from './held-results.ts';
import type { ExecutionMemory } from './memory.ts';

const MAX_EXECUTIONS = 2_000;
/** Nodes of all plans kept; a node takes about 2 KB. */
const MAX_PLAN_NODES = 50_000;
/** Of compiled schemas, patterns and templates that take as much as a node. */
const WEIGHT_OF_NODE = 20;
/** Of templates that a node takes to have, on average: they are in its 2 KB. */
const TEMPLATES_OF_NODE = 100;

export class ExecutionCache {
  readonly #pool: pg.Pool;
  readonly #types: ReadonlyMap<string, TaskType>;
  readonly #held = new HeldResults();
  readonly #memories = createCache<string, ExecutionMemory>({
    max: MAX_EXECUTIONS,
    // Afterwards: what is released may in turn forget its execution, which has to be gone by then.
    disposeAfter: (memory) => this.#held.release(memory),
  });
  readonly #plans = createCache<string, Promise<CompiledPlan>>({ maxSize: MAX_PLAN_NODES });
  readonly #compiled = new WeakMap<Promise<CompiledPlan>, CompiledPlan>();
  readonly #rows: Batcher<string, ExecutionRow | null>;

  constructor(pool: pg.Pool, types: ReadonlyMap<string, TaskType>) {
    this.#pool = pool;
    this.#types = types;
    this.#rows = new Batcher<string, ExecutionRow | null>({
      keyOf: (id) => id,
      send: async (ids) => {
        const rows = new Map((await loadExecutions(pool, ids)).map((row) => [row.id, row]));
        return ids.map((id) => rows.get(id) ?? null);
      },
    });
  }

  /** The execution as this worker knows it, or null where it does not exist. Throws where its plan cannot be compiled. */
  async get(id: string): Promise<ExecutionMemory | null> {
    return this.#memories.get(id) ?? (await this.load(id));
  }

  /** Reads the execution anew. */
  async load(id: string): Promise<ExecutionMemory | null> {
    const row = await this.#rows.call(id);
    if (row === null) return null;
    return this.adopt(row, await this.#plan(row.versionId));
  }

  /** Remembers an execution as it was read, or has been made. */
  adopt(row: ExecutionRow, compiled: CompiledPlan): ExecutionMemory {
    const defaults = compiled.plan.definition.defaultParameters;
    const memory: ExecutionMemory = {
      row,
      compiled,
      input: defaults === undefined ? row.input : applyDefaults(defaults, row.input),
      trigger: isJsonObject(row.trigger) ? (row.trigger as JsonObject) : null,
      startedAtMs: Date.parse(row.startedAt ?? row.createdAt),
      results: new Map(),
      held: this.#held,
      fanOuts: new FanOutItems(this.#held),
    };
    this.#memories.set(row.id, memory);
    // A lane that works on it keeps it; whoever comes next reads it again.
    this.#held.addInput(memory, () => {
      if (this.#memories.peek(row.id) === memory) this.#memories.delete(row.id);
    });
    return memory;
  }

  /** Reads the plan of a revision. Throws where it cannot be compiled. */
  async prepare(versionId: string): Promise<void> {
    await this.#plan(versionId);
  }

  /** The plan of a revision, where this worker has it. */
  compiled(versionId: string): CompiledPlan | null {
    const plan = this.#plans.get(versionId);
    return plan === undefined ? null : (this.#compiled.get(plan) ?? null);
  }

  forget(id: string): void {
    this.#memories.delete(id);
  }

  #plan(versionId: string): Promise<CompiledPlan> {
    let plan = this.#plans.get(versionId);
    if (plan === undefined) {
      plan = untilAnswered(() => loadDefinition(this.#pool, versionId)).then((found) => {
        if (found === null) throw new Error(`revision ${versionId} does not exist`);
        const { tenantId, definition } = found;
        return compilePlan(definition as unknown as WorkflowDefinition, this.#types, tenantId);
      });
      const loading = plan;
      this.#plans.set(versionId, loading, { size: 1 });
      loading.then(
        (compiled) => {
          this.#compiled.set(loading, compiled);
          this.#plans.set(versionId, loading, {
            size: Math.max(1, Math.min(sizeOf(compiled), MAX_PLAN_NODES)),
          });
        },
        () => this.#plans.delete(versionId),
      );
    }
    return plan;
  }
}

/** In nodes. */
function sizeOf({ nodes, weight, templateWeight }: CompiledPlan): number {
  const beyond = Math.max(0, templateWeight - nodes.length * TEMPLATES_OF_NODE);
  return nodes.length + Math.ceil((weight + beyond) / WEIGHT_OF_NODE);
}
