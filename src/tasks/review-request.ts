// A review as a task asks for it: what is shown, with its hash, and who decides.
import { createHash } from 'node:crypto';
import type { ReviewRequest } from '../core/review.ts';

type Shown = Pick<ReviewRequest, 'reviewType' | 'title' | 'description' | 'payload' | 'formSchema'>;

/** Who decides where nothing else is said: one person, whenever he likes. */
const ANYBODY: Omit<ReviewRequest, keyof Shown | 'shownHash'> = {
  assignees: [],
  requiredApprovals: 1,
  rejectAfter: 1,
  selfApproval: false,
  priority: 5,
  dueInSeconds: null,
  remindBeforeSeconds: null,
  onExpire: 'expire',
  escalateTo: [],
  notifies: false,
};

export function reviewRequest(shown: Shown, who: Partial<typeof ANYBODY>): ReviewRequest {
  const { reviewType, title, description, payload, formSchema } = shown;
  const text = JSON.stringify({ reviewType, title, description, payload, formSchema });
  return { ...ANYBODY, ...who, ...shown, shownHash: createHash('sha256').update(text).digest('hex') };
}
