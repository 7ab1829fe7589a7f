// One call with its fallbacks: the models are asked in order, each under the limits of its service, until one answers.
// Every answer is paid for, whatever becomes of it.
import { NotNow, RetryableError, TerminalError } from '../../core/errors.ts';
import type { TaskContext } from '../task-type.ts';
import { type Answered, billsOfFailures, type Model } from './model-call.ts';
import { type AccessRequest, type ModelAccess, readAccess } from './provider-access.ts';
import { OutOfQuota } from './provider-error.ts';
import { sdkModel } from './sdk-model.ts';
import { simulatedModel } from './simulated-model.ts';
import type { Spending } from './spending.ts';

/** Another model may do better where these happen; a request that is itself at fault would fail there too. */
const FALLBACK_CODES = new Set(['rate_limited', 'provider_error', 'network', 'timeout', 'output_invalid']);

export interface Asked<T extends Answered> {
  readonly answer: T;
  readonly access: ModelAccess;
}

/** `models`: the one that is wanted, then the fallbacks. `serviceId` null: the provider's own. */
export async function askModel<T extends Answered>(
  models: readonly AccessRequest[],
  serviceId: string | null,
  context: TaskContext,
  spending: Spending,
  ask: (model: Model) => Promise<T>,
): Promise<Asked<T>> {
  let failure: unknown = null;
  for (const [index, request] of models.entries()) {
    try {
      return await askOne(request, serviceId, context, spending, ask);
    } catch (error) {
      context.signal.throwIfAborted();
      // A call that was made counts as the attempt; that another model has no slot now does not undo it.
      if (failure === null || !(error instanceof NotNow)) failure = error;
      if (!mayFallBack(error)) break;
      const next = models[index + 1];
      if (next !== undefined)
        context.log.warn(`${request.model} failed, ${next.model} is asked instead`, {
          error: error instanceof Error ? error.message : String(error),
        });
    }
  }
  throw failure;
}

async function askOne<T extends Answered>(
  request: AccessRequest,
  serviceId: string | null,
  context: TaskContext,
  spending: Spending,
  ask: (model: Model) => Promise<T>,
): Promise<Asked<T>> {
  const { outside } = context;
  const access = await readAccess(request, outside);
  const model =
    access.dialect === 'simulated' ? simulatedModel(access.name) : sdkModel(access, outside, context);
  let latencyMs = 0;
  const pay = (answered: Answered) => spending.add(access, answered, new Date(), latencyMs);
  const place = { serviceId: serviceId ?? access.provider, tenantId: context.tenantId };
  try {
    const answer = await outside.services.use(place, context.signal, async () => {
      const startedAt = performance.now();
      try {
        return await ask(model);
      } finally {
        latencyMs = Math.round(performance.now() - startedAt);
      }
    });
    await pay(answer);
    return { answer, access };
  } catch (error) {
    const bill = error instanceof Error ? billsOfFailures.get(error) : undefined;
    if (bill !== undefined) await pay({ bill });
    throw error;
  }
}

function mayFallBack(error: unknown): boolean {
  if (error instanceof NotNow || error instanceof OutOfQuota) return true;
  return (
    (error instanceof RetryableError || error instanceof TerminalError) && FALLBACK_CODES.has(error.code)
  );
}
