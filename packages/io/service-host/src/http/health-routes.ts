import type { Metrics } from '@perennial/telemetry';
import type { FastifyInstance } from 'fastify';

/** Whether traffic and work may come, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Ready when nothing speaks against it. */
export function toReadiness(reasons: readonly string[]): Readiness {
  return { ready: reasons.length === 0, reasons };
}

/** /health/live, /health/ready (503 with reasons) and /metrics. */
export function addHealthRoutes(
  server: FastifyInstance,
  { readiness, metrics }: { readonly readiness: () => Readiness; readonly metrics: Metrics },
): void {
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
