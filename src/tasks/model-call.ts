// One turn of a conversation with a model, as model_inference hands it to a provider and gets it back.
import type { Json, JsonObject } from '../core/json.ts';
import type { Usd } from '../core/money.ts';

export type ModelMessage = JsonObject & {
  readonly role: 'system' | 'user' | 'assistant';
  /** Text, or content parts. */
  readonly content: Json;
};

export interface ModelCall {
  /** `provider/name`. */
  readonly model: string;
  readonly messages: readonly ModelMessage[];
  /** Null: the provider's own limit. */
  readonly maxOutputTokens: number | null;
  /** Of the task; counts from 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

export interface ModelAnswer {
  readonly text: string;
  readonly finishReason: 'stop' | 'length';
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: Usd;
  /** The provider's own usage block. */
  readonly raw: JsonObject;
}

/** Answers one call, or throws RetryableError or TerminalError. */
export type ModelProvider = (call: ModelCall) => Promise<ModelAnswer>;
