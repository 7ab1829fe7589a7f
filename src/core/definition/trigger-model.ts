// `triggers` of a definition in our names: what starts it beside a person. Absent fields stay absent.
import type { Json, JsonObject } from '../json.ts';
import type { CatchupPolicy, OverlapPolicy } from '../schedule/words.ts';
import type { WebhookAuthType, WebhookVerifier } from '../trigger/webhook.ts';

export const TRIGGER_KINDS = ['schedule', 'webhook', 'event'] as const;

/** `name` is unique among the schedules of a definition. */
export interface ScheduleTrigger {
  readonly type: 'schedule';
  readonly name: string;
  readonly cronExpression: string;
  readonly timezone?: string;
  readonly input?: Json;
  readonly priority?: number;
  readonly overlapPolicy?: OverlapPolicy;
  readonly catchupPolicy?: CatchupPolicy;
  readonly catchupWindowSeconds?: number;
  readonly jitterSeconds?: number;
  readonly startAt?: string;
  readonly endAt?: string;
  readonly pauseOnFailure?: boolean;
}

/** `path` is unique in the tenant, and without the tenant's name. */
export interface WebhookTrigger {
  readonly type: 'webhook';
  readonly path: string;
  /** For people. */
  readonly name?: string;
  readonly authType?: WebhookAuthType;
  readonly verifier?: WebhookVerifier;
  /** `{{ secrets.NAME }}`, or the secret itself, which is sealed with the webhook and never stored with the definition. */
  readonly secret?: string;
  readonly options?: JsonObject;
  readonly methods?: readonly string[];
  readonly handshakes?: readonly JsonObject[];
  readonly respond?: JsonObject;
  readonly inputMapping?: Json;
  readonly filters?: readonly JsonObject[];
  readonly priority?: number;
}

/** `name` is unique among the event triggers of a definition; default: the type of the event. */
export interface EventTrigger {
  readonly type: 'event';
  readonly name?: string;
  readonly event: string;
  readonly when?: Json;
  readonly inputMapping?: Json;
  readonly priority?: number;
}

export type TriggerDefinition = ScheduleTrigger | WebhookTrigger | EventTrigger;

export function eventTriggerName({ name, event }: EventTrigger): string {
  return name ?? event;
}
