// One call of a model, as model_inference hands it to a provider and gets it back.
import type { Bill } from '../../core/cost/bill.ts';
import type { JsonObject } from '../../core/json.ts';
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
  readonly bill: Bill;
}

/** What failed although the provider had counted something: it is paid for all the same. */
export const billsOfFailures = new WeakMap<Error, Bill>();

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
