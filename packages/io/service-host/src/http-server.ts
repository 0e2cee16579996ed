import { AppError, isAppError } from '@perennial/kernel';
import type { Logger, Metrics } from '@perennial/telemetry';
import { DURATION_BUCKETS_SECONDS } from '@perennial/telemetry';
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyServerOptions } from 'fastify';
import { fastify, LogController } from 'fastify';
import { toErrorReply } from './http-errors.js';

export type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Whether traffic and work may come, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Largest body unless a server says otherwise; a route may set its own. */
export const BODY_LIMIT_BYTES = 1_048_576;
/** A request that takes longer to arrive is dropped (slow senders hold no sockets). */
export const REQUEST_TIMEOUT_MS = 30_000;
/** An idle kept-alive connection; above the usual 60 s of load balancers, so that they close first. */
export const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** A longer part of a path would be answered with 404, as if there were no such route; the header limit of 16 KB comes first. */
export const PARAM_CHARS_MAX = 65_536;

export interface HttpServerOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly readiness: () => Readiness;
  readonly bodyLimitBytes?: number;
  /** Anything else of Fastify's. */
  readonly fastify?: Omit<FastifyServerOptions, 'logger' | 'loggerInstance' | 'bodyLimit'>;
}

/** Ready when nothing speaks against it. */
export function toReadiness(reasons: readonly string[]): Readiness {
  return { ready: reasons.length === 0, reasons };
}

/** A Fastify server with /health/live, /health/ready (503 with reasons), /metrics, request metrics and one error format. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const server: FastifyInstance = fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // A stop waits for requests in flight only: idle keep-alive connections are closed.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PARAM_CHARS_MAX },
    logController: new LogController({ disableRequestLogging: true }),
    ...options.fastify,
    bodyLimit: options.bodyLimitBytes ?? BODY_LIMIT_BYTES,
    loggerInstance: options.logger as FastifyBaseLogger,
  });
  addHealthRoutes(server, options);
  addRequestMetrics(server, options.metrics);
  closeConnectionsWhileStopping(server);
  server.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, body, headers } = toErrorReply(error);
    if (status >= 500) request.log.error({ error, route: request.routeOptions.url }, 'request failed');
    return reply.code(status).headers(headers).send(body);
  });
  server.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send({ error: 'not_found', message: `no route for ${request.method} ${request.url.split('?')[0]}` }),
  );
  return server;
}

function addHealthRoutes(server: FastifyInstance, { readiness, metrics }: HttpServerOptions): void {
  server.get('/health/live', () => ({ live: true }));
  server.get('/health/ready', (_request, reply) => {
    const { ready, reasons } = readiness();
    return reply.code(ready ? 200 : 503).send({ ready, reasons });
  });
  server.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
}

function addRequestMetrics(server: FastifyInstance, metrics: Metrics): void {
  const durations = metrics.histogram(
    'http_request_duration_seconds',
    'From headers received to response sent.',
    DURATION_BUCKETS_SECONDS,
    ['method', 'route', 'status'],
  );
  server.addHook('onResponse', (request, reply, done) => {
    // The route's pattern, never the URL: ids must not become labels.
    const route = request.routeOptions.url ?? 'none';
    durations.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
    done();
  });
}

/** Answers given while stopping end their connection: kept alive, it would hold up the stop for its idle timeout. */
function closeConnectionsWhileStopping(server: FastifyInstance): void {
  let stopping = false;
  server.addHook('preClose', async () => {
    stopping = true;
  });
  server.addHook('onSend', async (_request, reply) => {
    if (stopping) reply.header('connection', 'close');
  });
}

/** Listens and answers the URL; a port that is taken or forbidden gives `config_invalid` that names it and the variable. */
export async function listen(server: FastifyInstance, options: { host: string; port: number }): Promise<string> {
  try {
    return await server.listen({ host: options.host, port: options.port });
  } catch (error) {
    if (isAppError(error)) throw error;
    throw toListenError(error, options);
  }
}

function toListenError(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    return new AppError(
      'config_invalid',
      `port ${port} on ${host} is taken; set PORT to another one (0 takes any free port)`,
      { cause: error },
    );
  }
  if (code === 'EACCES') {
    return new AppError('config_invalid', `port ${port} needs privileges; set PORT to 1024 or above`, { cause: error });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new AppError('config_invalid', `${host} is no address of this machine; set HOST`, { cause: error });
  }
  return error;
}
