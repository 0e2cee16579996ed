import type { Access } from '@perennial/access';
import { AppError } from '@perennial/kernel';
import type { Logger } from '@perennial/telemetry';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastify, LogController } from 'fastify';
import { limitAddressConnections } from './address-connections.js';
import { addHealthRoutes, type HealthRoutesOptions } from './health-routes.js';
import { createParserErrorHandler, type ErrorBody } from './parser-errors.js';
import { PROBLEM_MEDIA_TYPE, type Problem, toProblemReply } from './problem.js';
import { addRequestMetrics, createConnectionMetrics } from './request-metrics.js';
import { guardRoutes } from './route-access.js';
import { findMalformation, type Malformation } from './strict-request.js';

/** Default limit of a body; a server or a route may set its own. */
const BODY_LIMIT_BYTES = 1_048_576;

const CONNECTION_LIMITS = {
  /** Open connections; above, new ones are closed at once. An idle one holds some 20 KB. */
  connectionsMax: 10_000,
  /** A request line and headers that take longer to arrive are answered 408, so that slow senders do not hold sockets. */
  headersTimeoutMs: 10_000,
  /** The same for the whole request. */
  requestTimeoutMs: 30_000,
  /** How often the two above are checked. */
  checkIntervalMs: 1_000,
  /** Timeout of an idle keep-alive connection; above the usual 60 s of load balancers, so that they close first. */
  keepAliveTimeoutMs: 72_000,
  /** The request line and all headers. */
  headerBytesMax: 16_384,
} as const;

type ConnectionLimits = { readonly [Name in keyof typeof CONNECTION_LIMITS]: number };

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
  readonly connectionLimits?: Partial<ConnectionLimits>;
  /** Open connections of one address; further ones are closed at once. Without a limit where absent, or behind proxies. */
  readonly addressConnectionsMax?: number;
  /** Proxies in front of the service: the client's address is that many steps from the end of X-Forwarded-For. */
  readonly trustedProxies?: number;
  /** Another form of errors for some paths (`instance`), where a request does not reach its route. */
  readonly formatProblem?: (problem: Problem) => ErrorBody | undefined;
}

/**
 * A Fastify server with health and metrics, one form of errors, and no route without declared access: each route
 * declares in `config.access` who may use it.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const limits = { ...CONNECTION_LIMITS, ...options.connectionLimits };
  const counts = createConnectionMetrics(options.metrics);
  const { formatProblem = () => undefined, trustedProxies = 0, addressConnectionsMax } = options;
  const parserErrors = createParserErrorHandler({ formatProblem, count: counts.malformed });
  const server: FastifyInstance = fastify({
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    http: {
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      maxHeaderSize: limits.headerBytesMax,
      // Checked with the rest of the request, so that the response has our form.
      requireHostHeader: false,
    },
    clientErrorHandler: parserErrors.handle,
    trustProxy: (_address, hop) => hop < trustedProxies,
    // A stop waits only for requests in flight: idle keep-alive connections are closed.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PARAM_CHARS_MAX },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimitBytes ?? BODY_LIMIT_BYTES,
    loggerInstance: options.logger as FastifyBaseLogger,
  });
  parserErrors.watch(server.server);
  server.server.maxConnections = limits.connectionsMax;
  server.server.on('drop', () => counts.dropped('total'));
  if (addressConnectionsMax !== undefined && trustedProxies === 0)
    limitAddressConnections(server.server, { max: addressConnectionsMax, dropped: () => counts.dropped('address') });
  // Node would answer 417 in a form of its own; what is expected besides `100-continue` may be ignored (RFC 9110, 10.1.1).
  server.server.on('checkExpectation', (request, response) => void server.server.emit('request', request, response));
  rejectMalformed(server, counts.malformed);
  guardRoutes(server, options.access);
  addHealthRoutes(server, options);
  addRequestMetrics(server, options.metrics);
  closeConnectionsWhileStopping(server);
  answerProblems(server);
  return server;
}

/** Before every other check, those of access included: what follows relies on one reading of the request. */
function rejectMalformed(server: FastifyInstance, count: (reason: Malformation['reason']) => void): void {
  server.addHook('onRequest', (request, reply, done) => {
    const malformation = findMalformation(request.raw);
    if (malformation === undefined) return done();
    const { status, reason, detail } = malformation;
    count(reason);
    // Where the next request on this connection begins is not certain.
    reply.header('connection', 'close');
    done(Object.assign(new Error(detail), { statusCode: status }));
  });
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
