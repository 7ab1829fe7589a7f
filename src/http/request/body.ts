// Reads request bodies. Ordinary JSON takes the fast way: one look at the bytes, JSON.parse, one walk over the value. What
// one of them finds suspicious is read again by the strict reader, which says where and why.
//   B1  Not JSON: 400. JSON that nothing here could store or tell apart from other JSON (too deep, too wide, NUL, lone
//       surrogates, names given twice, numbers that would be rounded unless the route keeps them): 422 with pointers.
//   B2  Nothing is decompressed, and no media type is guessed.

import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import type { ProblemCode } from '../../core/codes/code.ts';
import { joinPointer } from '../../core/definition/pointer.ts';
import { type OutsideRules, readJson } from '../../core/definition/reading/json-reader.ts';
import type { Problem } from '../../core/errors.ts';
import { isStorableText, MAX_DEPTH } from '../../core/json.ts';
import { JsonShape } from '../../core/json-shape.ts';
import { collectLongNumbers } from '../../core/long-numbers.ts';
import type { DocumentBody } from '../server/api.ts';
import { ApiError, unprocessable } from '../server/problem.ts';

/** Bytes of an ordinary body. */
export const BODY_LIMIT = 1_000_000;
/** Bytes of a body that is a definition. */
export const DOCUMENT_LIMIT = 10_000_000;
const MAX_KEYS = 50_000;
const MAX_STRING_BYTES = 512 * 1024;
const MAX_PROBLEMS = 100;

const JSON_TYPE = /^application\/(?:json|[\w.-]+\+json)$/;
const YAML_TYPE = /^(?:application\/(?:yaml|x-yaml)|text\/(?:yaml|x-yaml))$/;

/** The body as its route takes it; undefined where it is empty. */
export function readBody(request: FastifyRequest, bytes: Buffer): unknown {
  const { body: kind = 'json' } = request.routeOptions.config;
  if (kind === 'raw') return bytes;
  if (bytes.length === 0) return undefined;
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new ApiError(415, 'unsupported_encoding', 'bodies are taken uncompressed only', {
      headers: { 'accept-encoding': 'identity' },
    });
  const mediaType = mediaTypeOf(request.headers['content-type']);
  const isYaml = kind === 'document' && YAML_TYPE.test(mediaType);
  if (!isYaml && !JSON_TYPE.test(mediaType)) {
    const expected = kind === 'document' ? 'application/json or application/yaml' : 'application/json';
    throw new ApiError(415, 'unsupported_media_type', `the body must be ${expected}`, {
      headers: { accept: kind === 'document' ? 'application/json, application/yaml' : 'application/json' },
    });
  }
  if (!isUtf8(bytes)) throw notJson('the body is not UTF-8');
  const text = bytes.toString('utf8');
  if (kind === 'document') return { text, format: isYaml ? 'yaml' : 'json' } satisfies DocumentBody;
  return readJsonBody(bytes, text, longNumbersOf(request));
}

/** What a sender outside has written may hold numbers beyond 2^53: its route is told of them. Others refuse them. */
function longNumbersOf(request: FastifyRequest): OutsideRules {
  if (request.routeOptions.config.keepsLongNumbers !== true) return {};
  const { rules, found } = collectLongNumbers();
  Object.defineProperty(request, 'longNumbers', { get: found });
  return rules;
}

function mediaTypeOf(header: string | undefined): string {
  if (header === undefined) return '';
  const [type = '', ...parameters] = header.toLowerCase().split(';');
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='));
  return charset === undefined || /^charset="?utf-?8"?$/.test(charset) ? type.trim() : '';
}

/** The value of a JSON text, `bytes` being its UTF-8. Throws ApiError 400 or 422. */
export function readJsonBody(bytes: Uint8Array, text: string, rules: OutsideRules = {}): unknown {
  const shape = new JsonShape();
  shape.push(bytes);
  if (shape.depth > MAX_DEPTH) throw refusal(text);
  if (shape.members > MAX_KEYS)
    throw tooLarge(`the body has ${shape.members} fields; the limit is ${MAX_KEYS}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refusal(text);
  }
  const found: Found = { members: 0, isSuspicious: shape.longest > MAX_STRING_BYTES };
  look(value, shape.hasEscapes, found);
  if (!found.isSuspicious && found.members === shape.members) return value;
  const read = readJson(text, rules);
  if (!read.ok) throw refusalOf(read.problems);
  const problems: Problem[] = [];
  findProblems(read.value, '', problems);
  if (problems.length > 0) throw unprocessable(problems);
  return read.value;
}

interface Found {
  members: number;
  isSuspicious: boolean;
}

function look(value: unknown, hasEscapes: boolean, found: Found): void {
  if (typeof value === 'string') {
    if (hasEscapes && !isStorableText(value)) found.isSuspicious = true;
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
      found.isSuspicious = true;
  } else if (Array.isArray(value)) {
    for (const entry of value) look(entry, hasEscapes, found);
  } else if (value !== null) {
    const object = value as Record<string, unknown>;
    for (const key in object) {
      found.members++;
      if (key === '__proto__' || (hasEscapes && !isStorableText(key))) found.isSuspicious = true;
      look(object[key], hasEscapes, found);
    }
  }
}

function findProblems(value: unknown, pointer: string, problems: Problem[]): void {
  if (problems.length >= MAX_PROBLEMS) return;
  const report = (code: ProblemCode, message: string) => void problems.push({ pointer, code, message });
  if (typeof value === 'string') {
    if (!isStorableText(value))
      report('unstorable_text', 'text with a NUL character or a lone surrogate cannot be stored');
    if (value.length > MAX_STRING_BYTES || Buffer.byteLength(value) > MAX_STRING_BYTES)
      report('too_large', `the text is longer than ${MAX_STRING_BYTES} bytes`);
  } else if (Array.isArray(value)) {
    for (const [i, entry] of value.entries()) findProblems(entry, joinPointer(pointer, i), problems);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (key === '__proto__') report('forbidden_key', 'the name "__proto__" is refused everywhere');
      else if (!isStorableText(key))
        report('unstorable_text', 'a name with a NUL character or a lone surrogate cannot be stored');
      else findProblems(member, joinPointer(pointer, key), problems);
    }
  }
}

function refusal(text: string): ApiError {
  const read = readJson(text);
  return read.ok ? notJson('the body is not JSON') : refusalOf(read.problems);
}

function refusalOf(problems: readonly Problem[]): ApiError {
  const syntax = problems.find(({ code }) => code === 'syntax');
  return syntax === undefined ? unprocessable(problems) : notJson(syntax.message);
}

function notJson(message: string): ApiError {
  return new ApiError(400, 'not_json', message, { errors: [{ pointer: '', code: 'not_json', message }] });
}

function tooLarge(message: string): ApiError {
  return unprocessable([{ pointer: '', code: 'too_large', message }]);
}
