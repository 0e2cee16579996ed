import type { Static, TObject, TSchema } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RouteAccess } from './route-access.js';
import { compileValidator } from './validation.js';

/** A route's contract: the server checks by it, and the OpenAPI document and the client are generated from it. */
export interface Operation<
  Path extends TObject | undefined = TObject | undefined,
  Query extends TObject | undefined = TObject | undefined,
  Body extends TSchema | undefined = TSchema | undefined,
  Answer extends TSchema = TSchema,
> {
  /** Names the operation in the document and in the client, such as `listActions`. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** In OpenAPI's form: `/v1/features/{userId}`. */
  readonly path: string;
  readonly access: RouteAccess;
  readonly summary: string;
  readonly parameters?: Path;
  readonly query?: Query;
  readonly body?: Body;
  /** Body of the 200 response, as JSON. */
  readonly answer: Answer;
  /** Further statuses of the operation, and when they occur. */
  readonly problems?: Readonly<Record<number, string>>;
}

/** The input of a handler: each part has the type of its schema. */
export interface OperationInput<Path, Query, Body> {
  readonly path: Path extends TSchema ? Static<Path> : undefined;
  readonly query: Query extends TSchema ? Static<Query> : undefined;
  readonly body: Body extends TSchema ? Static<Body> : undefined;
}

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** Keeps the types of the schemas, so that the handler is checked against them. */
export function defineOperation<
  Answer extends TSchema,
  Path extends TObject | undefined = undefined,
  Query extends TObject | undefined = undefined,
  Body extends TSchema | undefined = undefined,
>(operation: Operation<Path, Query, Body, Answer>): Operation<Path, Query, Body, Answer> {
  return operation;
}

/** Adds an operation's route: its input is checked first (400 with every wrong field), its response is JSON. */
export function addOperation<
  Path extends TObject | undefined,
  Query extends TObject | undefined,
  Body extends TSchema | undefined,
  Answer extends TSchema,
>(
  server: FastifyInstance,
  operation: Operation<Path, Query, Body, Answer>,
  handle: (input: OperationInput<Path, Query, Body>) => Promise<DeepReadonly<Static<Answer>>>,
  options: { readonly bodyLimitBytes?: number } = {},
): void {
  const { access, method, path, parameters, query, body } = operation;
  server.route({
    method,
    url: toRoutePath(path),
    config: { access },
    schema: {
      ...(parameters === undefined ? {} : { params: parameters }),
      ...(query === undefined ? {} : { querystring: query }),
      ...(body === undefined ? {} : { body }),
    },
    validatorCompiler: ({ schema, httpPart }) => compileValidator(schema, httpPart),
    ...(options.bodyLimitBytes === undefined ? {} : { bodyLimit: options.bodyLimitBytes }),
    handler: (request) => {
      const { params, query: asked, body: sent } = request;
      return handle({ path: params, query: asked, body: sent } as OperationInput<Path, Query, Body>);
    },
  });
}

/** Adds a route that reads its raw request itself; the operation documents it and declares who may use it. */
export function addRawOperation(
  server: FastifyInstance,
  { access, method, path }: Operation,
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
): void {
  server.route({ method, url: toRoutePath(path), config: { access }, handler });
}

/** `/v1/features/{userId}` in Fastify's form. */
function toRoutePath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}
