import type { Metrics } from '@perennial/telemetry';
import { DURATION_BUCKETS_SECONDS } from '@perennial/telemetry';
import type { FastifyInstance } from 'fastify';
import type { ParserErrorReason } from './parser-errors.js';
import type { Malformation } from './strict-request.js';

/** Measures every request by method, route and status. */
export function addRequestMetrics(server: FastifyInstance, metrics: Metrics): void {
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

/** Counts what never reaches a route: requests that are no valid HTTP, and connections above the limit. */
export function createConnectionMetrics(metrics: Metrics) {
  const malformed = metrics.counter(
    'http_malformed_requests_total',
    'Requests answered 400, 408, 413 or 431 before any route: not valid HTTP, ambiguous, too large or too slow.',
    ['reason'],
  );
  const dropped = metrics.counter(
    'http_connections_dropped_total',
    'Connections closed at once: too many are open, in total or of one address.',
    ['limit'],
  );
  return {
    malformed: (reason: ParserErrorReason | Malformation['reason']) => malformed.inc({ reason }),
    dropped: (limit: 'total' | 'address') => dropped.inc({ limit }),
  };
}
