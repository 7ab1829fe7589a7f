// `error.code` of tasks and executions. The list is open: tasks may have codes of their own (TerminalError, `fail`, a callback's).
import type { CodeText } from './code-text.ts';

export interface TaskCodeText extends CodeText {
  /** Tried again where a retry policy has no `retryOn`. */
  readonly isRetried?: true;
}

export const TASK_CODES = {
  timeout: {
    means: 'It ran, or the answer it waited for took, longer than allowed: a task, or the whole execution.',
    fix: '`timeoutSeconds` of the task (300 s where it has none) or the definition; `callback.timeoutSeconds`, or `timeoutSeconds` in the config of a `wait` for a signal.',
    isRetried: true,
  },
  rate_limited: {
    means: 'A model provider asks for fewer calls. The retry waits at least as long as it says.',
    fix: '`dagwright services set` makes limits that all workers share.',
    isRetried: true,
  },
  network: { means: 'No connection, or one that broke off.', isRetried: true },
  http_408: {
    means:
      'A service answered 408 Request Timeout. So with each status, as `http_404`; `http_4xx` stands for all of a class.',
    isRetried: true,
  },
  http_425: { means: 'A service answered 425 Too Early.', isRetried: true },
  http_429: {
    means: 'A service answered 429 Too Many Requests.',
    fix: '`dagwright services set` makes limits that all workers share.',
    isRetried: true,
  },
  http_5xx: {
    means: 'A service answered 500 to 599; each has its own code, as `http_503`.',
    isRetried: true,
  },
  provider_error: { means: 'A model provider failed, and may succeed another time.', isRetried: true },
  output_invalid: {
    means: 'An answer is not what it says it is, or does not fit its schema.',
    fix: '`responseSchema`, `outputSchema`, `responseType`.',
    isRetried: true,
  },
  handler_error: {
    means: 'The body of a task threw something of its own, or a callback failed without a code.',
    isRetried: true,
  },
  provider_refused: {
    means:
      'A model provider does not take the request: a wrong key, an unknown model, a filter, no credit left.',
    fix: "The message has the provider's words.",
  },
  validation: { means: 'An input, a config or a secret does not fit; the message names the place.' },
  expired: {
    means: 'Nobody decided a review in time.',
    fix: '`dueInSeconds`, `onExpire`; an edge from the branch `expired` goes on instead.',
  },
  missing_path: { means: 'An expression read what is not there.', fix: '`?? null` allows for it.' },
  expression: {
    means: 'An expression cannot be evaluated on this data; the message says where and why.',
  },
  no_branch: { means: 'No case of a `condition` matches, and it has no `default`.' },
  not_enough_values: {
    means: 'An `aggregation` or a `parallel` has fewer values or successes than it needs.',
  },
  quorum_not_reached: { means: 'A vote did not reach its `min`.' },
  loop_limit: {
    means: 'A model asked for tools more often than `maxSteps` allows, or `until` of a `repeat` never held.',
    fix: '`maxSteps`; `repeat.maxIterations`, or `repeat.onLimit: complete`.',
  },
  not_allowed: {
    means:
      'The tenant may not do that here: a key of the installation, a model elsewhere, a tool that was not offered.',
  },
  blocked_destination: {
    means: 'The call would go to a private address or another place that is not allowed.',
    fix: '`DAGWRIGHT_ALLOWED_HOSTS`.',
  },
  payload_too_large: {
    means:
      'An input, an output, or an answer is larger than what is kept (1 MB; 16 MB where it is gathered from several).',
  },
  unstorable_output: { means: 'A task returned what JSON cannot hold: a `Map`, `NaN`, a lone surrogate.' },
  worker_lost: {
    means:
      'The worker that ran the attempt died. The task runs again on another; it fails when more than 3 died or hung so.',
  },
  cancelled: { means: 'The execution was cancelled, by somebody or by the next run of its schedule.' },
  not_now: {
    means:
      'It cannot run yet: its service failed too often, asked for fewer calls, or its limit is used up. No attempt is spent.',
    fix: '`dagwright executions why ID` says what holds it.',
  },
  not_supported: { means: 'The definition asks for what this release does not have.' },
} as const satisfies Readonly<Record<string, TaskCodeText>>;

/** The code that stands for one answered status: `http_404`, `http_4xx`. */
export const HTTP_CODE = /^http_([1-5](?:\d\d|xx))$/;
