// Calls of tools that people approve (LANGUAGE H8): the conversation waits at its checkpoint, without a slot, until somebody has decided.
// A refusal goes back to the model with its reason.
//   A1  A review is of one call: one that was made for another is never taken for this one's.
//   A2  What is approved runs as it was shown, or as whoever approved has changed it.
import { isJsonObject, type Json } from '../../core/json.ts';
import type { ReviewRequest, ReviewState } from '../../core/review.ts';
import { reviewRequest } from '../review-request.ts';
import type { TaskContext } from '../task-type.ts';
import type { Tool, ToolApproval, ToolCall } from './tools.ts';

export type ApprovalVerdict =
  /** Nobody has decided: the task waits, for a review that is opened or (null) the one that is open. */
  | { readonly kind: 'waits'; readonly opens: ReviewRequest | null }
  | { readonly kind: 'runs'; readonly input: Json }
  | { readonly kind: 'refused'; readonly message: string };

/** What people say of the `n`-th call of a conversation (from 1). */
export async function judgeCall(
  tool: Tool & { readonly approval: ToolApproval },
  call: ToolCall & { readonly id: string },
  n: number,
  context: TaskContext,
): Promise<ApprovalVerdict> {
  const review = context.phase === 'review' ? await context.readReview() : null;
  // A1.
  if (review === null || !isOf(review, call.id, n))
    return { kind: 'waits', opens: requestOf(tool, call, n, context) };
  switch (review.status) {
    case 'open':
      return { kind: 'waits', opens: null };
    case 'approved':
    case 'submitted':
      return { kind: 'runs', input: review.data ?? call.input };
    case 'rejected':
    case 'expired':
    case 'cancelled':
      return { kind: 'refused', message: refusalOf(review) };
  }
}

function isOf({ payload }: ReviewState, id: string, n: number): boolean {
  return isJsonObject(payload) && payload.toolCallId === id && payload.call === n;
}

function requestOf(
  { name, inputSchema, approval }: Tool & { readonly approval: ToolApproval },
  { id, input }: ToolCall & { readonly id: string },
  n: number,
  context: TaskContext,
): ReviewRequest {
  const shown = {
    reviewType: 'review' as const,
    title: `${context.taskId}: may the model call ${name}?`.slice(0, 500),
    description: null,
    payload: { call: n, toolCallId: id, tool: name, arguments: input },
    formSchema: inputSchema,
  };
  return reviewRequest(shown, approval);
}

function refusalOf({ status, responses }: ReviewState): string {
  if (status !== 'rejected')
    return 'nobody has approved this call in time; do without it, or ask for something else';
  const reasons = responses.flatMap(({ decision, comment }) =>
    decision === 'rejected' && comment !== null && comment !== '' ? [comment] : [],
  );
  return `a person has refused this call${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`;
}
