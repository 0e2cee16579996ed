export type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
export { composeApp } from './compose.js';
export { type Readiness, toReadiness } from './http/health-routes.js';
export { listen } from './http/listen.js';
export { type Problem, toProblemReply } from './http/problem.js';
export { createHttpServer, type HttpServerOptions } from './http/server.js';
export { type Opener, openAccess, openLog, openPool, openRedis } from './open.js';
export { readGivenFile } from './read-given-file.js';
export { type App, type Command, runService } from './run-service.js';
