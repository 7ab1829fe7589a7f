// The workflow definition in our names, as stored in a revision: what normalisation makes of the author's document.
// Absent fields stay absent here; effective values (defaults filled in) are on the plan (core/plan/plan.ts).
import type { Json, JsonObject } from '../json.ts';
import type { TriggerDefinition } from './trigger-model.ts';

export const FAILURE_POLICIES = ['finish_running', 'fail_fast', 'continue'] as const;
export type FailurePolicy = (typeof FAILURE_POLICIES)[number];

export const TRIGGER_RULES = [
  'all_success',
  'all_done',
  'all_failed',
  'none_failed',
  'none_failed_min_one_success',
  'none_skipped',
  'one_success',
  'one_failed',
  'one_done',
] as const;
export type TriggerRule = (typeof TRIGGER_RULES)[number];

export const EDGE_CONDITIONS = ['success', 'failure', 'any'] as const;
export type EdgeCondition = (typeof EDGE_CONDITIONS)[number];

/** Characters of `provider/model`, as written and as its templates yield it: a provider's name and a model's (price-table.ts). */
export const MAX_MODEL_ID = 401;

/** Of a stored definition: only `active` ones start. */
export const DEFINITION_STATUSES = ['draft', 'active', 'archived'] as const;
export type DefinitionStatus = (typeof DEFINITION_STATUSES)[number];

/** What saving a definition has done. */
export const SAVE_EFFECTS = ['created', 'changed', 'unchanged'] as const;
export type SaveEffect = (typeof SAVE_EFFECTS)[number];

/** Characters of a category. */
export const MAX_CATEGORY_CHARS = 100;

/** One entry of `dependsOn`. A branch implies `on: success`. */
export interface Dependency {
  readonly taskId: string;
  readonly on?: EdgeCondition;
  readonly branch?: string;
  readonly errors?: readonly string[];
}

export interface RetryPolicy {
  readonly maxAttempts?: number;
  readonly initialIntervalSeconds?: number;
  readonly backoffCoefficient?: number;
  readonly maxIntervalSeconds?: number;
  readonly jitter?: 'full' | 'none';
  readonly retryOn?: readonly string[];
  readonly nonRetryableErrors?: readonly string[];
}

/** Of a list the first policy whose `retryOn` matches decides. */
export type Retry = RetryPolicy | readonly RetryPolicy[];

/** Of a task whose output is kept. */
export interface CacheDefinition {
  readonly ttlSeconds: number;
  readonly key?: Json;
}

/** A task in rounds. */
export interface RepeatPolicy {
  readonly until: Json;
  readonly maxIterations?: number;
  readonly delaySeconds?: number;
  readonly onLimit?: 'fail' | 'complete';
  readonly collect?: Json;
  readonly stopWhenSame?: number;
}

export interface NodeDefinition {
  readonly taskId: string;
  readonly taskType: string;
  readonly modelId?: string;
  readonly serviceId?: string;
  readonly dependsOn: readonly Dependency[];
  readonly triggerRule?: TriggerRule;
  readonly conditionExpression?: Json;
  readonly config: JsonObject;
  readonly inputMapping?: Json;
  readonly outputMapping?: Json;
  readonly timeoutSeconds?: number;
  readonly retry?: Retry;
  readonly repeat?: RepeatPolicy;
  readonly optional?: boolean;
  readonly cache?: CacheDefinition;
}

export interface WorkflowDefinition {
  readonly workflowId: string;
  readonly name?: string;
  readonly description?: string;
  readonly category?: string;
  readonly version?: string;
  readonly inputSchema?: Json;
  readonly outputSchema?: Json;
  readonly defaultParameters?: JsonObject;
  readonly timeoutSeconds?: number;
  readonly maxRetries?: number;
  readonly minTier?: number;
  readonly requiresAuditTrail?: boolean;
  readonly hipaaCompliant?: boolean;
  readonly failurePolicy?: FailurePolicy;
  readonly defaults?: { readonly [taskType: string]: JsonObject };
  readonly nodes: readonly NodeDefinition[];
  readonly output?: Json;
  readonly triggers?: readonly TriggerDefinition[];
}
