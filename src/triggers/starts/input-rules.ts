// What revisions ask of their inputs: compiled once, kept by weight, and applied so that no caller waits for another's.
//   R1  Each validation is in a turn of the event loop that has time for it.
//   R2  An input that takes too much is found out once for each revision: a schedule's comes at every tick.
import { createHash } from 'node:crypto';
import { createCache } from '../../core/cache.ts';
import {
  applyDefaults,
  type CompiledSchema,
  compileSchema,
} from '../../core/definition/schema/input-schema.ts';
import type { Problem } from '../../core/errors.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import type { TaskLog } from '../../core/log-lines.ts';
import type { Queryable } from '../../db/connection/connection.ts';
import { findInputRule, type InputRule } from '../../db/triggers/startable.ts';
import { eventLoop } from '../../tasks/event-loop.ts';

const MAX_RULES = 1_000;
/** Of all schemas kept: a unit is about 100 bytes. */
const MAX_WEIGHT = 1_000_000;
/** Inputs of one revision that are known to take too much. */
const MAX_REFUSED = 100;

interface Rule extends Pick<InputRule, 'defaultParameters'> {
  readonly schema: CompiledSchema | null;
  /** By hash: what was said of inputs that take too much. */
  readonly refused: Map<string, readonly Problem[]>;
}

/** A version, and whose it is: it waits behind its tenant's own work alone. */
export interface VersionOf {
  readonly tenantId: string;
  readonly versionId: string;
}

export class InputRules {
  readonly #log: TaskLog;
  /** By version: a revision never changes. */
  readonly #rules = createCache<string, Rule>({
    max: MAX_RULES,
    maxSize: MAX_WEIGHT,
    sizeCalculation: ({ schema }) => 1 + (schema?.weight ?? 0),
  });

  constructor(log: TaskLog) {
    this.#log = log;
  }

  /** Problems of an input under this version's schema, at `/input/…`; null: there is no such version. */
  async problemsOf(
    db: Queryable,
    { tenantId, versionId }: VersionOf,
    input: Json,
    limitMs: number,
  ): Promise<readonly Problem[] | null> {
    const rule = await this.#ruleOf(db, versionId, limitMs);
    if (rule === null) return null;
    const { schema, defaultParameters, refused } = rule;
    if (schema === null) return [];
    const known = refused.size === 0 ? undefined : refused.get(hashOf(input));
    if (known !== undefined) return known;
    const found = await eventLoop.run(tenantId, () =>
      schema.validate(applyDefaults(defaultParameters, input)),
    );
    const problems = found.map((problem) => ({ ...problem, pointer: `/input${problem.pointer}` }));
    if (problems.some(({ code }) => code === 'too_complex')) {
      if (refused.size >= MAX_REFUSED) refused.clear();
      refused.set(hashOf(input), problems);
    }
    return problems;
  }

  async #ruleOf(db: Queryable, versionId: string, limitMs: number): Promise<Rule | null> {
    const known = this.#rules.get(versionId);
    if (known !== undefined) return known;
    const found = await findInputRule(db, versionId, limitMs);
    if (found === null) return null;
    const { inputSchema, defaultParameters } = found;
    const compiled = inputSchema === undefined ? null : compileSchema(inputSchema);
    // A stored schema was compiled when it was saved; one that no longer compiles is judged when a worker opens the run.
    if (compiled?.ok === false) this.#log.warn('a stored inputSchema does not compile', { versionId });
    const rule: Rule = {
      schema: compiled?.ok === true ? compiled.value : null,
      defaultParameters: isJsonObject(defaultParameters) ? defaultParameters : undefined,
      refused: new Map(),
    };
    this.#rules.set(versionId, rule);
    return rule;
  }
}

function hashOf(input: Json): string {
  return createHash('sha256').update(JSON.stringify(input)).digest('base64');
}
