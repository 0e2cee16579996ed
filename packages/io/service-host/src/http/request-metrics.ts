import type { Metrics } from '@perennial/telemetry';
import { DURATION_BUCKETS_SECONDS } from '@perennial/telemetry';
import type { FastifyInstance } from 'fastify';

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
