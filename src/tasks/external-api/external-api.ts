// `external_api`: one HTTP call, through the guard and within the limits of its service; with `callback` the answer comes
// later. What is sent is made by external-api-call.ts, what comes back is read by external-api-answer.ts.
//   X1  A POST or PATCH that may have been taken is not sent again, unless `idempotent` says that it may.
//   X2  A secret is read when the call is made, and is in no output and no error.
//   X3  A token that was kept and is refused (401) is fetched anew, and the call, which was not taken, is made once more.
import { NotNow, RetryableError, TerminalError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { JsonWarning } from '../../core/long-numbers.ts';
import { createRedact, type Redact } from '../../core/redact.ts';
import { eventLoop } from '../event-loop.ts';
import { NotConnected } from '../outbound/failure.ts';
import type { HttpAnswer } from '../outbound/message.ts';
import type { Callback, TaskContext, TaskOutcome, TaskType } from '../task-type.ts';
import { checkStatus, outputOf } from './answer.ts';
import { authorized } from './authorized.ts';
import {
  type ApiCall,
  type ApiConfig,
  compileApiConfig,
  evaluateCall,
  evaluateWait,
  mayRepeatCall,
  scopeOfCall,
  secretsOfCall,
} from './call.ts';

/** Characters of a path that messages tell. */
const MAX_SHOWN_PATH = 200;

export const externalApi: TaskType = {
  type: 'external_api',
  isPure: false,
  prepare(node) {
    const config = compileApiConfig(node);
    return {
      mappings: config.mappings,
      run: (context) =>
        context.phase === 'callback' ? lookForCallback(config, context) : call(config, context),
    };
  },
};

async function call(config: ApiConfig, context: TaskContext): Promise<TaskOutcome> {
  const secrets = await secretsOfCall(config, context);
  const wait = config.hasCallback ? evaluateWait(config, scopeOfCall(context, secrets, null)) : null;
  const callback = wait === null ? null : await context.openCallback(wait);
  const evaluated = await evaluateCall(config, scopeOfCall(context, secrets, callback), secrets, context);
  const { services } = context.outside;
  const redact = redactionOf(context, callback);
  const api = withShownPath(evaluated, redact);
  // A host may hold a secret; what names a service is stored.
  const serviceId = config.node.serviceId ?? context.outside.redact(api.request.url.host);
  const output = await services.use({ serviceId, tenantId: context.tenantId }, context.signal, () =>
    send(api, context, { redact, wantsOutput: callback === null }),
  );
  return callback === null ? { kind: 'completed', output } : { kind: 'waitForAnswer', on: 'callback' };
}

/** Within `use`, which learns from its errors how the service is. */
async function send(
  api: ApiCall,
  context: TaskContext,
  { redact, wantsOutput }: { redact: Redact; wantsOutput: boolean },
): Promise<Json> {
  let answer: HttpAnswer | null = null;
  // Of what may have been taken.
  let isSent = true;
  const onSend = (): void => {
    // As it goes out: an error costs as much as an answer.
    if (api.costUsd !== undefined) context.addCost(api.costUsd);
    if (!api.mayRepeat) context.forbidRepeat();
  };
  // Nothing of the call is sent until it has its token.
  let by = await authorized(api, context);
  const request = () => context.outside.http.request({ ...by.request, signal: context.signal, onSend });
  try {
    answer = await request();
    // X3.
    if (answer.status === 401 && answer.redirects === 0) {
      by.forget();
      if (by.isKept) {
        // It was not taken, whatever becomes of the next token and of the next call.
        answer = null;
        isSent = false;
        by = await authorized(api, context);
        isSent = true;
        answer = await request();
      }
    }
    const hide = by.made.length === 0 ? redact : hidingAlso(by.made, redact);
    const warn = (warning: JsonWarning) => logWarning(context, warning);
    const last = answer;
    return await eventLoop.run(context.tenantId, () => {
      checkStatus(last, api, { redact: hide, now: context.now });
      return wantsOutput ? outputOf(last, api, { redact: hide, warn }) : null;
    });
  } catch (error) {
    // An abort is the engine's to judge.
    if (api.mayRepeat || context.signal.aborted || !isSent || wasNotTaken(error, answer)) throw error;
    throw unrepeatable(error);
  }
}

function hidingAlso(secrets: readonly string[], redact: Redact): Redact {
  const hide = createRedact(secrets);
  // First what holds others: a header with a password in it.
  return (text) => redact(hide(text));
}

function logWarning({ log }: TaskContext, { pointer, code, message }: JsonWarning): void {
  log.warn(message, { code, pointer });
}

// The engine knows the secrets; a token is known here only.
function redactionOf({ outside }: TaskContext, callback: Callback | null): Redact {
  if (callback === null) return outside.redact;
  return hidingAlso([callback.token], outside.redact);
}

/** Which of a host's many paths failed is what its owner asks first. The query stays untold. */
function withShownPath(api: ApiCall, redact: Redact): ApiCall {
  const { pathname } = api.request.url;
  const shown = redact(pathname);
  const shownPath =
    pathname === '/' ? '' : shown.length > MAX_SHOWN_PATH ? `${shown.slice(0, MAX_SHOWN_PATH)}…` : shown;
  return { ...api, request: { ...api.request, shownPath } };
}

/** X1. After a redirect the first of the two requests was answered with something else. */
function wasNotTaken(error: unknown, answer: HttpAnswer | null): boolean {
  if (answer === null) return error instanceof NotConnected || error instanceof NotNow;
  return answer.redirects === 0 && (answer.status === 429 || answer.status === 503);
}

function unrepeatable(error: unknown): TerminalError {
  if (error instanceof TerminalError) return error;
  if (error instanceof RetryableError) {
    const { code, message, details, status } = error;
    return new TerminalError(code, message, { details, status });
  }
  return new TerminalError('handler_error', error instanceof Error ? error.message : String(error));
}

async function lookForCallback(config: ApiConfig, context: TaskContext): Promise<TaskOutcome> {
  const { answerState: answer } = context;
  if (answer === null || answer.status === 'open') {
    if (answer !== null && answer.leftMs > 0) return { kind: 'waitForAnswer', on: 'callback' };
    const message = `Task "${config.node.taskId}": no callback came in time`;
    const scope = scopeOfCall(context, await secretsOfCall(config, context), { token: '', url: '' });
    throw mayRepeatCall(config, scope)
      ? new RetryableError(message, { code: 'timeout' })
      : new TerminalError('timeout', message);
  }
  if (answer.warning !== undefined && answer.warning !== null) logWarning(context, answer.warning);
  if (answer.status === 'completed') return { kind: 'completed', output: answer.output };
  const { code = 'handler_error', message = 'the callback reported a failure', details } = answer.error ?? {};
  throw new TerminalError(code, message, { details });
}
