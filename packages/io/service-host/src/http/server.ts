import type { Access } from '@perennial/access';
import { AppError } from '@perennial/kernel';
import type { Logger } from '@perennial/telemetry';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastify, LogController } from 'fastify';
import { addHealthRoutes, type HealthRoutesOptions } from './health-routes.js';
import { PROBLEM_MEDIA_TYPE, toProblemReply } from './problem.js';
import { addRequestMetrics } from './request-metrics.js';
import { guardRoutes } from './route-access.js';

/** Default limit of a body; a server or a route may set its own. */
const BODY_LIMIT_BYTES = 1_048_576;
/** A request that takes longer to arrive is dropped, so that slow senders do not hold sockets. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Timeout of an idle keep-alive connection; above the usual 60 s of load balancers, so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/**
 * Fastify answers 404 to a longer path parameter, as if the route did not exist. The header limit of 16 KB is reached
 * first.
 */
const PARAM_CHARS_MAX = 65_536;

export interface HttpServerOptions extends HealthRoutesOptions {
  readonly logger: Logger;
  /** Checks the tokens of requests. */
  readonly access: Access;
  readonly bodyLimitBytes?: number;
}

/**
 * A Fastify server with health and metrics, one form of errors, and no route without declared access: each route
 * declares in `config.access` who may use it.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const server: FastifyInstance = fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // A stop waits only for requests in flight: idle keep-alive connections are closed.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PARAM_CHARS_MAX },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimitBytes ?? BODY_LIMIT_BYTES,
    loggerInstance: options.logger as FastifyBaseLogger,
  });
  guardRoutes(server, options.access);
  addHealthRoutes(server, options);
  addRequestMetrics(server, options.metrics);
  closeConnectionsWhileStopping(server);
  answerProblems(server);
  return server;
}

function answerProblems(server: FastifyInstance): void {
  server.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  server.setNotFoundHandler((request, reply) => {
    const missing = new AppError('not_found', `there is no route ${request.method} ${toPath(request)}`);
    return sendProblem(missing, request, reply);
  });
}

function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { problem, headers } = toProblemReply(error, toPath(request));
  if (problem.status >= 500) request.log.error({ error, route: request.routeOptions.url }, 'request failed');
  // As bytes: for text Fastify would add a charset, which this media type does not have.
  const body = Buffer.from(JSON.stringify(problem));
  return reply.code(problem.status).headers(headers).header('content-type', PROBLEM_MEDIA_TYPE).send(body);
}

function toPath({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? url;
}

/** Responses during a stop close their connection: a kept-alive one would delay the stop by its idle timeout. */
function closeConnectionsWhileStopping(server: FastifyInstance): void {
  let stopping = false;
  server.addHook('preClose', async () => {
    stopping = true;
  });
  server.addHook('onSend', async (_request, reply) => {
    if (stopping) reply.header('connection', 'close');
  });
}
