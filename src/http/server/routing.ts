// What holds for every route, enforced when it is added: it says who may call it, and nothing unknown slips through.
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { DOCUMENT_LIMIT } from '../request/body.ts';
import { isConflict } from '../request/once.ts';
import { createValidatorCompiler, findOpenObject, textProblems } from '../request/validation.ts';
import { ApiError, badRequest, unprocessable } from './problem.ts';

/** Tries of a route whose transaction lost against another, and so did nothing. POST: see answerOnce. */
const TRIES = 3;
const NO_QUERY = { type: 'object', properties: {}, additionalProperties: false };

export interface Routes {
  /** Methods that a path has, for 405. */
  methodsOf(path: string): readonly string[];
}

/** Adds the rules to an application; call it before the first route. */
export function addRouteRules(api: FastifyInstance): Routes {
  const compile = createValidatorCompiler();
  const known: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  api.setValidatorCompiler(compile);
  api.addHook('onRoute', (route) => {
    const name = `${[route.method].flat().join(',')} ${route.url}`;
    const config = { ...route.config };
    route.config = config;
    if (route.url.startsWith('/docs'))
      Object.assign(config, { access: 'public', hidden: true, anyQuery: true });
    if (config.access === undefined) throw new Error(`${name} does not say who may call it (config.access)`);
    known.push({ pattern: patternOf(route.url), methods: [route.method].flat() });
    const schema = { ...route.schema };
    if (schema.querystring === undefined && config.anyQuery !== true && config.body !== 'raw')
      schema.querystring = NO_QUERY;
    for (const part of ['body', 'querystring'] as const) {
      const open = findOpenObject(schema[part]);
      if (open !== null)
        throw new Error(`${name}: ${part} does not say whether other fields are allowed at ${open}`);
    }
    if (config.body === 'document') route.bodyLimit ??= DOCUMENT_LIMIT;
    if ((config.body ?? 'json') !== 'json')
      route.validatorCompiler = (part) => (part.httpPart === 'body' ? () => true : compile(part));
    route.schema = schema;
    if (![route.method].flat().includes('POST')) route.handler = retried(route.handler);
  });
  api.addHook('preValidation', async (request) => {
    const { config, schema } = request.routeOptions;
    if (request.is404) return;
    const problems = textProblems('params', request.params);
    if (problems.length > 0) throw badRequest(problems);
    const inQuery = textProblems('query', request.query);
    if (inQuery.length > 0) throw badRequest(inQuery);
    if (config.body === 'document' && request.body === undefined)
      throw new ApiError(400, 'not_json', 'the body is empty');
    if ((config.body ?? 'json') === 'json') prepareBody(request, schema?.body !== undefined);
  });
  return {
    methodsOf: (path) => [
      ...new Set(known.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods)),
    ],
  };
}

// An absent body is an empty one: what is required in it is then said by name.
function prepareBody(request: FastifyRequest, isWanted: boolean): void {
  if (isWanted) {
    if (request.body === undefined) request.body = {};
    return;
  }
  const { body } = request;
  if (body === undefined || body === null) return;
  if (typeof body === 'object' && !Array.isArray(body) && Object.keys(body).length === 0) return;
  throw unprocessable([{ pointer: '', code: 'unknown_field', message: 'this route takes no body' }]);
}

function retried(handler: RouteOptions['handler']): RouteOptions['handler'] {
  return async function again(request, reply) {
    for (let tries = 1; ; tries++) {
      try {
        return await handler.call(this, request, reply);
      } catch (error) {
        if (tries >= TRIES || reply.sent || !isConflict(error)) throw error;
      }
    }
  };
}

function patternOf(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) =>
      part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('/');
  return new RegExp(`^${source}$`);
}

/** Answers what no route takes: 405 where the path has other methods, else 404. */
export function refuseUnknown({ methodsOf }: Routes) {
  return (request: FastifyRequest): never => {
    const methods = methodsOf(request.url.split('?', 1)[0] ?? '');
    if (methods.length === 0 || methods.includes(request.method))
      throw new ApiError(404, 'not_found', 'no such path');
    throw new ApiError(405, 'method_not_allowed', `this path takes ${methods.join(', ')}`, {
      headers: { allow: methods.join(', ') },
    });
  };
}
