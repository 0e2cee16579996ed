export { type Static, type TSchema, Type } from '@sinclair/typebox';
export type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
export { composeApp } from './compose.js';
export { toAddressKey } from './http/address-key.js';
export { HEALTH_OPERATIONS, toReadiness } from './http/health-routes.js';
export { listen } from './http/listen.js';
export { addOperation, addRawOperation, defineOperation, type Operation } from './http/operation.js';
export { NEXT_CURSOR, PAGE_QUERY, type PageKind, readPage } from './http/page.js';
export type { ErrorBody } from './http/parser-errors.js';
export { PROBLEM_SCHEMA, type Problem, toProblemReply } from './http/problem.js';
export { createHttpServer, type HttpServerOptions } from './http/server.js';
export { type Opener, openAccess, openLog, openPool, openRedis } from './open.js';
export { readGivenFile } from './read-given-file.js';
export {
  type App,
  type Command,
  type CommandHost,
  type RunnableConfig,
  runService,
  type ServiceDefinition,
} from './run-service.js';
