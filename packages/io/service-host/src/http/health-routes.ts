import type { Metrics } from '@perennial/telemetry';
import type { FastifyInstance } from 'fastify';

/** Whether traffic and work may come, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

export interface HealthRoutesOptions {
  readonly readiness: () => Readiness;
  readonly metrics: Metrics;
  readonly metricsAccess: 'open' | 'token';
}

/** Ready when nothing speaks against it. */
export function toReadiness(reasons: readonly string[]): Readiness {
  return { ready: reasons.length === 0, reasons };
}

/** /health/live and /health/ready (503 with reasons), open to every supervisor, and /metrics, open or for the scope `read`. */
export function addHealthRoutes(
  server: FastifyInstance,
  { readiness, metrics, metricsAccess }: HealthRoutesOptions,
): void {
  const open = { config: { access: 'open' } } as const;
  server.get('/health/live', open, () => ({ live: true }));
  server.get('/health/ready', open, (_request, reply) => {
    const { ready, reasons } = readiness();
    return reply.code(ready ? 200 : 503).send({ ready, reasons });
  });
  const config = { access: metricsAccess === 'open' ? 'open' : 'read' } as const;
  server.get('/metrics', { config }, async (_request, reply) => {
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
}
