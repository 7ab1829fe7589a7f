// The error codes of tasks and executions, in words: what `dagwright explain` says of them. Tasks may have others of their own
// (TerminalError, `fail`, a callback's), so the list is open.

/** By code. */
export const RUN_CODES: Readonly<Record<string, string>> = {
  timeout:
    'the attempt ran past timeoutSeconds of its task (300 s where it has none), or the execution past its own',
  rate_limited: 'the service said that it was asked too often; the retry waits at least as long as it said',
  network: 'the service could not be reached, or the connection broke',
  http_408:
    'the service answered 408; so with each status, as http_404; http_4xx and http_5xx stand for all of theirs',
  http_425: 'the service answered 425 Too Early',
  http_429: 'the service answered 429 Too Many Requests',
  http_5xx: 'any answer of 500 to 599',
  provider_error: 'the model provider failed, and may succeed another time',
  output_invalid: 'what the model answered does not fit responseSchema',
  handler_error: 'the code of a task threw an error that has no code of its own',
  expression: 'an expression could not be evaluated; the message says where and why',
  missing_path: 'an expression reads what is not there: give it a default with ??, or ask exists() first',
  validation: 'what was given does not fit: the input its inputSchema, or a config what its type takes',
  unstorable_output:
    'the output cannot be kept as JSON in PostgreSQL: \\u0000, a number beyond its range, a circle',
  payload_too_large: 'an input, output or answer is larger than it may be',
  worker_lost:
    'the worker that ran the attempt died; the task runs again on another, up to three times for that reason',
  cancelled: 'somebody cancelled the execution',
  no_branch: 'no case of a condition matched, and it has no default',
  not_enough_values: 'an aggregation or a parallel had fewer values or successes than it needs',
  quorum_not_reached: 'too few votes came for the quorum',
};
