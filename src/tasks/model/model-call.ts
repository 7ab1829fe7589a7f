// One call of a model, as model_inference hands it to a provider and gets it back.
import type { TokenUsage } from '../../core/cost/usage.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { ContentPart, ModelMessage } from './message.ts';

/** A tool that the model may call. */
export interface ToolOffer {
  readonly name: string;
  readonly description: string;
  /** JSON Schema 2020-12 of its arguments. */
  readonly inputSchema: JsonObject;
}

export interface ModelCall {
  /** Names the task in error messages. */
  readonly taskId: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolOffer[];
  /** JSON Schema that the answer must fit; null: any text. */
  readonly responseSchema: JsonObject | null;
  /** Null: the provider's own. */
  readonly temperature: number | null;
  /** Null: the provider's own limit. */
  readonly maxOutputTokens: number | null;
  /** By provider name; handed on as they are. */
  readonly providerOptions: { readonly [provider: string]: JsonObject };
  /** Of the task; counts from 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/** What every answer tells of its cost. */
export interface Answered {
  /** Null: the provider did not say. */
  readonly usage: TokenUsage | null;
  /** The provider's own usage block. */
  readonly raw: Json;
  /** The model that answered, in the provider's words, where it says so. */
  readonly answeredBy?: string;
}

export type FinishReason = 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'error' | 'other';

export interface ModelAnswer extends Answered {
  /** Text, reasoning and tool calls, in order; with what the provider needs to see again. */
  readonly content: readonly ContentPart[];
  /** What is to be parsed with a responseSchema, where it is not the text. */
  readonly structuredText?: string;
  readonly finishReason: FinishReason;
}

export interface EmbeddingAnswer extends Answered {
  readonly embedding: readonly number[];
}

/** One model of one provider. Both throw RetryableError or TerminalError, or the signal's reason. */
export interface Model {
  generate(call: ModelCall): Promise<ModelAnswer>;
  embed(text: string, call: ModelCall): Promise<EmbeddingAnswer>;
}
