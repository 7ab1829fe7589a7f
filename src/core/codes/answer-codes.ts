// `code` of an answer of the HTTP API that is no success. Acts upon what people own are refused with the same codes on the command
// line and in the library.
import type { CodeText } from './code-text.ts';

export interface AnswerCodeText extends CodeText {
  /** HTTP statuses that come with it. */
  readonly statuses: readonly number[];
}

export const ANSWER_CODES = {
  bad_request: { statuses: [400], means: 'The query, the headers or the request itself cannot be read.' },
  not_json: { statuses: [400], means: 'The body is empty, or no JSON.' },
  not_yaml: { statuses: [400], means: 'The body is no YAML.' },
  malformed_body: { statuses: [400], means: 'The body of a delivery is not what its content type says.' },
  invalid_cursor: {
    statuses: [400],
    means: 'The cursor is not of this list.',
    fix: '`nextCursor` of an answer with the same filters.',
  },
  invalid_header: { statuses: [400], means: '`X-Tenant-Id` or `X-Actor` is not what it must be.' },
  invalid_idempotency_key: {
    statuses: [400],
    means: '`Idempotency-Key` must be 1 to 255 visible ASCII characters.',
  },
  tenant_missing: {
    statuses: [400],
    means: "The operator's key is nobody's: the request must name a tenant.",
    fix: '`X-Tenant-Id`; `--tenant NAME`.',
  },
  unauthorized: {
    statuses: [401],
    means: 'No key, or a wrong one; at a webhook: none is here, or the delivery does not prove its sender.',
    fix: '`Authorization: Bearer KEY`; `--key KEY`, `DAGWRIGHT_KEY`.',
  },
  forbidden: { statuses: [403], means: "The key lacks the scope, or this takes the operator's key." },
  scope_exceeded: { statuses: [403], means: 'The caller may not grant more than it has.' },
  tenant_suspended: {
    statuses: [403],
    means: 'The tenant is suspended; nothing of it starts.',
    fix: '`dagwright tenants update NAME --status active`',
  },
  tier_too_low: {
    statuses: [403],
    means: 'The workflow needs a tenant of a higher tier: `minTier` of its definition.',
  },
  host_not_allowed: {
    statuses: [403],
    means: 'Without a key the service answers to localhost and 127.0.0.1 only.',
    fix: '`DAGWRIGHT_ADMIN_KEY`, or a key of a tenant.',
  },
  forwarded_not_allowed: {
    statuses: [403],
    means: 'Without a key the service answers no one for whom a proxy asks.',
    fix: '`DAGWRIGHT_ADMIN_KEY`, or a key of a tenant.',
  },
  origin_not_allowed: { statuses: [403], means: 'Without a key the service answers no other site.' },
  not_found: { statuses: [404], means: "It is not there, or another tenant's." },
  removed: { statuses: [404], means: 'It was made by a definition, which no longer has it.' },
  method_not_allowed: { statuses: [405], means: 'The path takes other methods: the header `Allow`.' },
  too_slow: {
    statuses: [408, 503],
    means: 'The request took too long to arrive, or the database too long to answer.',
    fix: 'Ask for less: a smaller `limit`, a narrower filter.',
  },
  not_active: {
    statuses: [409],
    means: 'The workflow is not active.',
    fix: '`dagwright workflows activate ID`',
  },
  key_reused: {
    statuses: [409],
    means: 'The idempotency key came before with another request, or from another caller.',
    fix: 'A new key for each request.',
  },
  name_taken: { statuses: [409], means: 'Another has this name.' },
  path_taken: { statuses: [409], means: 'Another webhook has this path.' },
  trigger_taken: {
    statuses: [409],
    means: 'A trigger would have the name or the path of one that another definition, or somebody, made.',
  },
  from_definition: {
    statuses: [409],
    means: 'A definition made it, and has the last word.',
    fix: 'Change the definition, and apply it.',
  },
  cannot_start: {
    statuses: [409],
    means: 'The schedule cannot start its workflow: archived, or its input does not fit.',
  },
  self_approval: {
    statuses: [403],
    means: 'Nobody decides a review of what he started himself.',
    fix: '`selfApproval: true` in the definition; an operator may override, which is audited.',
  },
  not_assignee: {
    statuses: [403],
    means: 'The review is for others.',
    fix: '`dagwright reviews assign ID` asks others.',
  },
  already_decided: { statuses: [409], means: 'The review is decided, expired or cancelled.' },
  claimed: {
    statuses: [409],
    means: 'Another has claimed the review.',
    fix: '`dagwright reviews release ID`',
  },
  fence_mismatch: {
    statuses: [409],
    means: 'The review is another than the one that was read.',
    fix: 'Read it again, and send its `fence`.',
  },
  already_ended: { statuses: [409], means: 'The execution has ended.' },
  too_many_signals: {
    statuses: [409],
    means: 'The execution keeps as many signals of this name as it may, and nothing takes them.',
    fix: '`dagwright executions why ID` says what its tasks wait for.',
  },
  expired: { statuses: [410], means: 'It waited for this, and no longer does.' },
  revision_mismatch: {
    statuses: [412],
    means: 'Another revision is current than the one that was to be replaced.',
    fix: 'Read it again, and send its `ETag` as `If-Match`.',
  },
  payload_too_large: { statuses: [413], means: 'More than what is kept.' },
  too_large: { statuses: [413], means: 'The body is larger than this route takes.' },
  too_long: { statuses: [414], means: 'A part of the path is too long.' },
  unsupported_encoding: { statuses: [415], means: 'Bodies are taken uncompressed only.' },
  unsupported_media_type: { statuses: [415], means: 'The body must have another `Content-Type`.' },
  validation: { statuses: [422], means: 'The body does not fit; `errors` has all that is wrong.' },
  rate_limited: { statuses: [429], means: 'Too many requests in a second.', fix: '`Retry-After` says when.' },
  too_many_starts: {
    statuses: [429],
    means: 'The tenant has started as many executions within a minute as it may.',
    fix: 'Start it again later; `dagwright tenants show NAME` has the limits.',
  },
  too_many_waiting: {
    statuses: [429],
    means: 'The tenant has as many executions waiting as it may.',
    fix: 'Start it again when some have begun; `dagwright tenants show NAME` has the limits.',
  },
  headers_too_large: { statuses: [431], means: 'The headers are larger than 16 KB.' },
  internal: {
    statuses: [500],
    means: 'Something went wrong in the service; its log tells more under `X-Request-Id`.',
  },
  unavailable: {
    statuses: [503],
    means: 'It cannot be done now.',
    fix: 'Send it again after `Retry-After`.',
  },
  busy: {
    statuses: [503],
    means: 'Others are changing the same, or use up what there is of connections.',
    fix: 'Send it again after `Retry-After`.',
  },
  database_unavailable: {
    statuses: [503],
    means: 'The database does not answer.',
    fix: 'Send it again after `Retry-After`.',
  },
  too_many_streams: { statuses: [503], means: 'Too many streams of events are open here.' },
  draining: { statuses: [503], means: 'The process is about to end.' },
  unhealthy: { statuses: [503], means: 'A worker or the scheduler of the process does not work.' },
  migrations_pending: {
    statuses: [503],
    means: 'The database lacks migrations.',
    fix: '`dagwright migrate`',
  },
} as const satisfies Readonly<Record<string, AnswerCodeText>>;
