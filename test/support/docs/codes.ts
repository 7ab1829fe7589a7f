// What each code means: of errors that tasks and executions end with, of problems of definitions, and why a task was skipped.
// A test finds codes of the source that stand in none of the lists (test/house/docs.test.ts).
import type { SkipReason } from '../../../src/core/status.ts';

export const SKIP_REASON_TEXTS: Readonly<Record<SkipReason, string>> = {
  condition_false: 'Its `conditionExpression` was false, null or read what is not there.',
  branch_not_taken:
    'The fork before it went another way: another branch, or success where it waits for the failure.',
  upstream_skipped: 'A parent was skipped, or its `triggerRule` is not met.',
  upstream_failed: 'A parent failed and nothing caught it; so it is with all that follow.',
  execution_failed: 'The execution fails by its `failurePolicy`, and this had not begun.',
  terminated: 'A `terminate` ended the execution.',
  skipped_by_operator: 'Somebody skipped it.',
};

/** `error.code` of a task, and so of an execution. */
export const ERROR_CODES: Readonly<Record<string, string>> = {
  timeout:
    'It ran, or the answer it waited for took, longer than allowed. `timeoutSeconds`, `callback.timeoutSeconds`.',
  rate_limited: 'A model provider asks for fewer calls.',
  network: 'No connection, or one that broke off.',
  'http_<status>':
    'A service answered with a status that was not expected: `http_404`; `http_4xx` stands for all of a class.',
  provider_error: 'A model provider failed.',
  provider_refused: 'A model provider does not take the request: a wrong key, an unknown model, a filter.',
  validation: 'An input, a config or a secret does not fit; the message names the place.',
  missing_path: 'An expression read what is not there. `?? null` allows for it.',
  expression: 'An expression cannot be evaluated on this data.',
  no_branch: 'No case of a `condition` matches, and it has no `default`.',
  not_enough_values: 'An `aggregation` or a `parallel` has fewer values than it needs.',
  quorum_not_reached: 'A vote did not reach its `min`.',
  loop_limit: 'A model asked for tools more often than `maxSteps` allows.',
  not_allowed: 'The tenant may not do that here: a key of the installation, a model elsewhere.',
  output_invalid: 'An answer is not what it says it is, or does not fit its schema.',
  blocked_destination:
    'The call would go to a private address or another place that is not allowed. `DAGWRIGHT_ALLOWED_HOSTS`.',
  payload_too_large:
    'An input, an output, or an answer is larger than what is kept (1 MB; 16 MB where it is gathered from several).',
  unstorable_output: 'A task returned what JSON cannot hold: a `Map`, `NaN`, a lone surrogate.',
  handler_error: 'The body of a task threw something of its own.',
  worker_lost: 'More than 3 workers died or hung while they ran this task.',
  cancelled: 'The execution was cancelled.',
  not_supported: 'The definition asks for what this release does not have.',
};

/** `code` of a problem of a definition, an input or a request. `warning`: it refuses nothing. */
export const PROBLEM_CODES: Readonly<Record<string, string>> = {
  syntax: 'The text is not JSON or YAML.',
  duplicate_key: 'A name is given twice in one object.',
  forbidden_key: 'A name that no object may have (`__proto__`).',
  invalid_number: 'An integer beyond 2^53, or a number that is too large.',
  not_json: 'A value that JSON does not have.',
  unstorable_text: 'A text with NUL or half a character, which PostgreSQL cannot store.',
  too_deep: 'Nested too deeply.',
  too_large: 'More bytes, values, nodes or edges than allowed.',
  too_long: 'A text that is too long.',
  too_many_aliases: 'More YAML aliases than allowed.',
  too_many_keys: 'More names in an object than allowed.',
  too_many_problems: 'There are more problems than are told.',
  encoding: 'The body is not UTF-8.',
  type: 'Another type is expected.',
  required: 'A field is missing.',
  unknown_field: 'There is no such field here.',
  invalid_value: 'Not one of the values that are allowed.',
  pattern: 'The text does not look as it must.',
  format: 'The text is no instant, address or whatever is expected.',
  range: 'Too small, too large, or too late.',
  conflict: 'Fields that exclude each other.',
  not_supported: 'Known, and not in this release.',
  expression: 'An expression cannot be read, or can never be evaluated.',
  missing_path: 'It reads what is not there.',
  invalid_schema: 'A JSON Schema that is none.',
  too_complex: 'A pattern or a schema that takes too much to check.',
  excluded_path: 'A path that the known schema does not allow.',
  unknown_type: 'There is no such task type.',
  unknown_provider: 'There is no such model provider.',
  unknown_task: 'There is no such task.',
  unknown_branch: 'The parent has no such branch.',
  not_a_fork: 'The parent has no branches.',
  not_an_ancestor: 'It reads a task that need not have ended before it.',
  may_be_skipped: 'Warning: it reads a task that may be skipped; `??` says what to take then.',
  duplicate_task: 'Two tasks have one taskId.',
  duplicate_dependency: 'A parent is named twice in the same way.',
  self_dependency: 'A task depends on itself.',
  cycle: 'Tasks wait for each other.',
  never_runs: 'A task that can never run.',
  reserved_name: 'A name that means something else.',
  wait_too_long: 'A wait longer than the execution may take.',
  errors_without_failure: '`errors` without `on: failure`.',
  invalid_error_pattern: 'Neither an error code nor a class of them.',
  not_a_tool: 'A task that cannot be a tool of a model.',
  duplicate_tool: 'Two tools have one name.',
  duplicate_trigger: 'Two triggers of a kind have one name or path.',
  cron: 'A cron expression that is none, or never fires.',
  timezone: 'Not an IANA time zone.',
  name: 'A name that is empty or too long.',
  out_of_scope:
    'A name that cannot be read at this place: `secrets` outside of a call, `item` outside of a `parallel`.',
  rewritten: "Warning: another product's word was taken and stored as ours.",
  dollar_template: 'Warning: a `$` before a template is text.',
  two_proofs: 'Warning: a webhook asks for a signature and for a secret besides.',
  no_delivery_id:
    'Warning: nothing says which header names a delivery, so one that is repeated may start again.',
  setting: 'A setting or secret that this process does not have.',
  validation: 'It does not fit; the message says how.',
  unstorable_output: 'A value that JSON cannot hold.',
  payload_too_large: 'More than what is kept.',
  timeout: 'It took too long.',
};
