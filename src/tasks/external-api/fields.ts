// The fields of an external_api, read once their templates are evaluated. Each throws TerminalError `validation`.
import {
  DEFAULT_RESPONSE_BYTES,
  HTTP_METHODS,
  MAX_RESPONSE_BYTES,
  RESPONSE_TYPES,
  type ResponseType,
} from '../../core/definition/checks/external-api-rule.ts';
import type { NodeDefinition } from '../../core/definition/model.ts';
import { TerminalError } from '../../core/errors.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import { compareUsd, parseUsd } from '../../core/money.ts';
import { invalidField } from '../compile-config.ts';
import { isOwnHeader } from '../outbound/exchange.ts';

const STATUS = /^[2-5](\d\d|xx)$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\xa0-\xff]*$/;

/** POST where there is a body, GET where there is none and nothing else is said. */
export function readMethod(node: NodeDefinition, value: Json, hasBody: boolean): string {
  if (value === null) return hasBody ? 'POST' : 'GET';
  const method = HTTP_METHODS.find((one) => one === value);
  if (method === undefined) throw invalidField(node, 'method', `one of ${HTTP_METHODS.join(', ')}`, value);
  if (method === 'HEAD' && hasBody) throw invalid(node, 'a HEAD request has no body');
  return method;
}

/** With the query, without a fragment. */
export function readUrl(node: NodeDefinition, text: Json, query: Json): URL {
  if (typeof text !== 'string') throw invalidField(node, 'url', 'a text', text);
  const [path = ''] = text.split(/[?#]/, 1);
  // A value must not lead to another path than the one that was written.
  if (path.split(/[/\\]/).some((segment) => /^(\.|%2e){1,2}$/i.test(segment)))
    throw invalid(node, 'config.url has a path with "." or ".." in it');
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw invalid(node, 'config.url is not an http or https URL');
  const added = queryOf(node, query);
  // The URL's own query stays as it was written.
  if (added !== '') url.search = url.search.length > 1 ? `${url.search}&${added}` : added;
  url.hash = '';
  return url;
}

function queryOf(node: NodeDefinition, query: Json): string {
  if (query === null) return '';
  if (!isJsonObject(query)) throw invalidField(node, 'query', 'an object', query);
  return Object.entries(query)
    .flatMap(([name, value]) =>
      [value].flat().flatMap((one: Json) => {
        if (one === null) return [];
        if (typeof one === 'object')
          throw invalidField(node, `query.${name}`, 'a text, a number, a boolean, or a list of them', one);
        return [`${encode(name)}=${encode(String(one))}`];
      }),
    )
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** By lower-case name. */
export function readHeaders(node: NodeDefinition, given: Json): Map<string, string> {
  const headers = new Map<string, string>();
  if (given === null) return headers;
  if (!isJsonObject(given)) throw invalidField(node, 'headers', 'an object', given);
  for (const [written, value] of Object.entries(given)) {
    const name = written.toLowerCase();
    const field = `headers.${written.slice(0, 80)}`;
    if (!TOKEN.test(name))
      throw invalid(
        node,
        `config.headers has ${JSON.stringify(written.slice(0, 80))}, which is no name of a header`,
      );
    if (isOwnHeader(name))
      throw invalid(node, `config.${field} cannot be set: it is part of how the call is made`);
    if (headers.has(name)) throw invalid(node, `config.${field} is there twice`);
    if (value === null) continue;
    if (typeof value === 'object') throw invalidField(node, field, 'a text, a number or a boolean', value);
    const text = String(value).trim();
    if (!isHeaderValue(text))
      throw invalid(node, `config.${field} holds a line break, or what a header cannot hold`);
    headers.set(name, text);
  }
  return headers;
}

/** Latin-1 without control characters. */
export function isHeaderValue(text: string): boolean {
  return HEADER_VALUE.test(text);
}

/** Unless the author has set it. */
export function addHeader(headers: Map<string, string>, name: string, value: string): void {
  if (!headers.has(name)) headers.set(name, value);
}

export function readIdempotent(node: NodeDefinition, value: Json): boolean {
  if (value === null || typeof value === 'boolean') return value === true;
  throw invalidField(node, 'idempotent', 'true or false', value);
}

/** Statuses and classes, as texts. */
export function readExpected(node: NodeDefinition, value: Json): string[] {
  if (value === null) return ['2xx'];
  const list = [value].flat().map((one: Json) => (typeof one === 'number' ? String(one) : one));
  if (list.length > 0 && list.every((one) => typeof one === 'string' && STATUS.test(one)))
    return list as string[];
  throw invalidField(node, 'expectedStatus', 'a status, a class such as "2xx", or a list of them', value);
}

/** Null: by the answer's Content-Type. */
export function readResponseType(node: NodeDefinition, value: Json): ResponseType | null {
  if (value === null) return null;
  const type = RESPONSE_TYPES.find((one) => one === value);
  if (type !== undefined) return type;
  throw invalidField(node, 'responseType', `one of ${RESPONSE_TYPES.join(', ')}`, value);
}

export function readMaxBytes(node: NodeDefinition, value: Json): number {
  if (value === null) return DEFAULT_RESPONSE_BYTES;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_RESPONSE_BYTES)
    return value;
  throw invalidField(node, 'maxResponseBytes', `a whole number from 1 to ${MAX_RESPONSE_BYTES}`, value);
}

/** US dollars; null: unknown. */
export function readCost(node: NodeDefinition, value: Json): string | null {
  if (value === null) return null;
  try {
    if ((typeof value === 'string' || typeof value === 'number') && compareUsd(value, 0) >= 0)
      return parseUsd(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw invalidField(node, 'costUsd', 'a decimal number of 0 or more', value);
}

/** A config that cannot be used. */
export function invalid(node: NodeDefinition, message: string): TerminalError {
  return new TerminalError('validation', `Task "${node.taskId}": ${message}`);
}
