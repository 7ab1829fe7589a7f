// Definitions checked and saved by a service: its own task types, tenants and secrets are what counts, not this machine's.
import type { ProblemCode } from '../../core/codes/code.ts';
import type { Problem } from '../../core/errors.ts';
import type { Validation } from '../../resources/definitions/check-document.ts';
import type { SavedWorkflow } from '../../resources/definitions/save-workflows.ts';
import { readTextFile } from '../input/read-text.ts';
import { Refusal } from '../refusal.ts';
import { bodyOrRefuse, type RemoteRequest, type RemoteService } from './service.ts';

export interface RemoteDefinition {
  readonly file: string;
  readonly text: string;
  readonly validation: Validation;
}

/** What the service says of a file. */
export async function checkRemotely(
  service: RemoteService,
  file: string,
  { explain = false }: { readonly explain?: boolean } = {},
): Promise<RemoteDefinition> {
  const text = await readTextFile(file);
  const answer = await service.ask({
    ...documentRequest('POST', '/v1/workflows/validate', { file, text }),
    query: explain ? { explain } : {},
  });
  // A document that cannot be read at all is refused; to who wrote it that is one more problem of the file.
  if (!answer.ok && answer.code === 'validation')
    return { file, text, validation: { valid: false, errors: answer.problems, warnings: [] } };
  return { file, text, validation: bodyOrRefuse(answer) as Validation };
}

/** Saves files that were found valid, one after the other: over HTTP each has a commit of its own. */
export async function saveRemotely(
  service: RemoteService,
  checked: readonly RemoteDefinition[],
): Promise<readonly SavedWorkflow[]> {
  const saved: SavedWorkflow[] = [];
  for (const { file, text, validation } of checked) {
    const path = `/v1/workflows/${encodeURIComponent(validation.workflowId!)}`;
    const answer = await service.ask(documentRequest('PUT', path, { file, text }));
    if (!answer.ok) throw new Refusal(problemsOf(file, answer.problems, answer, saved));
    const { warnings: _, ...one } = answer.value.body as SavedWorkflow & { readonly warnings: unknown };
    saved.push(one as SavedWorkflow);
  }
  return saved;
}

function problemsOf(
  file: string,
  problems: readonly Problem[],
  { code, message }: { readonly code: ProblemCode; readonly message: string },
  saved: readonly SavedWorkflow[],
): readonly Problem[] {
  const all = problems.length > 0 ? problems : [{ pointer: '', code, message }];
  const before = saved.map(({ workflowId }) => workflowId).join(', ');
  const hint = before === '' ? {} : { hint: `saved before it: ${before}` };
  return all.map((problem) => ({ ...hint, ...problem, pointer: `${file}#${problem.pointer}` }));
}

function documentRequest(
  method: 'POST' | 'PUT',
  path: string,
  { file, text }: { readonly file: string; readonly text: string },
): RemoteRequest {
  const type = /\.json$/i.test(file) ? 'application/json' : 'application/yaml';
  return { method, path, body: text, headers: { 'content-type': type } };
}
