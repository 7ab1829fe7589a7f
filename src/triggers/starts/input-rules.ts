// What revisions ask of their input, compiled once.
import { LRUCache } from 'lru-cache';
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

const MAX_RULES = 1_000;

interface Rule extends Pick<InputRule, 'defaultParameters'> {
  readonly schema: CompiledSchema | null;
}

export class InputRules {
  readonly #log: TaskLog;
  /** By version: a revision never changes. */
  readonly #rules = new LRUCache<string, Rule>({ max: MAX_RULES });

  constructor(log: TaskLog) {
    this.#log = log;
  }

  /** Problems of an input under this version's schema, at `/input/…`; null: there is no such version. */
  async problemsOf(
    db: Queryable,
    versionId: string,
    input: Json,
    limitMs: number,
  ): Promise<Problem[] | null> {
    const rule = await this.#ruleOf(db, versionId, limitMs);
    if (rule === null) return null;
    const { schema, defaultParameters } = rule;
    if (schema === null) return [];
    const problems = schema.validate(applyDefaults(defaultParameters, input));
    return problems.map((problem) => ({ ...problem, pointer: `/input${problem.pointer}` }));
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
    };
    this.#rules.set(versionId, rule);
    return rule;
  }
}
