// A definition as the body of a request: read and validated, with its triggers.
import { explainJoins } from '../../core/definition/explain.ts';
import type { WorkflowDefinition } from '../../core/definition/model.ts';
import { parseDocument } from '../../core/definition/reading/parse.ts';
import { validateDefinition } from '../../core/definition/validate.ts';
import type { Problem } from '../../core/errors.ts';
import { triggerProblems } from '../../resources/definitions/file-triggers.ts';
import type { DocumentBody } from '../server/api.ts';
import { ApiError, unprocessable } from '../server/problem.ts';
import type { Service } from '../server/service.ts';
import type { YamlReader } from './yaml-reader.ts';

export type CheckedDocument =
  | {
      readonly ok: true;
      readonly value: {
        readonly definition: WorkflowDefinition;
        readonly warnings: readonly Problem[];
        readonly explanation?: string;
      };
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/**
 * The document. Throws ApiError: 400 where the text is no JSON or YAML, 422 where it cannot be taken as it is, 503 where too
 * much YAML waits to be read.
 */
export async function readDocument(yaml: YamlReader, body: DocumentBody, tenantId: string): Promise<unknown> {
  const parsed =
    body.format === 'yaml' ? await yaml.read(body.text, tenantId) : parseDocument(body.text, body.format);
  if (parsed.ok) return parsed.value;
  const syntax = parsed.problems.find(({ code }) => code === 'syntax');
  if (syntax === undefined) throw unprocessable(parsed.problems);
  const code = body.format === 'yaml' ? 'not_yaml' : 'not_json';
  throw new ApiError(400, code, syntax.message, { errors: parsed.problems });
}

/** `tenantName`: its triggers are checked as well; what saves a definition checks them itself. */
export function checkDocument(
  service: Service,
  document: unknown,
  options: { readonly tenantName?: string; readonly explain?: boolean | undefined } = {},
): CheckedDocument {
  const result = validateDefinition(document, { taskTypes: service.rules });
  if (!result.ok) return result;
  const { definition, plan, warnings } = result.value;
  const { tenantName, explain = false } = options;
  const problems = tenantName === undefined ? [] : triggerProblems(definition, tenantName, service);
  if (problems.length > 0) return { ok: false, problems, warnings };
  return {
    ok: true,
    value: { definition, warnings, ...(explain ? { explanation: explainJoins(plan) } : {}) },
  };
}
