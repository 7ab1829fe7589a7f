// A definition as the body of a request.
import { parseDocument } from '../../core/definition/reading/parse.ts';
import type { DocumentBody } from '../server/api.ts';
import { ApiError, unprocessable } from '../server/problem.ts';
import type { YamlReader } from './yaml-reader.ts';

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
