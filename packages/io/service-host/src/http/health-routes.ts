import type { Metrics } from '@perennial/telemetry';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { addOperation, addRawOperation, defineOperation, type Operation } from './operation.js';

/** Whether the service is ready for traffic and work, and if not, why. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** What an operator should know though the service is ready. */
  readonly notes?: readonly string[];
}

export interface HealthRoutesOptions {
  readonly readiness: () => Readiness;
  readonly metrics: Metrics;
  readonly metricsAccess: 'open' | 'token';
}

/** Ready when there is no reason against it. */
export function toReadiness(reasons: readonly string[], notes: readonly string[] = []): Readiness {
  return { ready: reasons.length === 0, reasons, notes };
}

const READINESS = Type.Object({
  ready: Type.Boolean(),
  reasons: Type.Array(Type.String()),
  notes: Type.Array(Type.String()),
});

const getLiveness = defineOperation({
  id: 'getLiveness',
  method: 'GET',
  path: '/health/live',
  access: 'open',
  summary: 'Whether the process runs.',
  answer: Type.Object({ live: Type.Boolean() }),
});
const getReadiness = defineOperation({
  id: 'getReadiness',
  method: 'GET',
  path: '/health/ready',
  access: 'open',
  summary: 'Whether it does its work; 503 says why not, in the same form.',
  answer: READINESS,
});

/** The routes that every service has in addition to its own operations. */
export const HEALTH_OPERATIONS: readonly Operation[] = [getLiveness, getReadiness];

/** /health/live and /health/ready (503 with reasons), open to everyone, and /metrics, open or for the scope `read`. */
export function addHealthRoutes(
  server: FastifyInstance,
  { readiness, metrics, metricsAccess }: HealthRoutesOptions,
): void {
  addOperation(server, getLiveness, async () => ({ live: true }));
  addRawOperation(server, getReadiness, async (_request, reply) => {
    const { ready, reasons, notes = [] } = readiness();
    return reply.code(ready ? 200 : 503).send({ ready, reasons, notes });
  });
  const ready = metrics.gauge(
    'service_ready',
    '1 while the service is ready for traffic and work, as /health/ready says.',
  );
  const config = { access: metricsAccess === 'open' ? 'open' : 'read' } as const;
  server.get('/metrics', { config }, async (_request, reply) => {
    ready.set(readiness().ready ? 1 : 0);
    reply.header('content-type', metrics.registry.contentType);
    return metrics.registry.metrics();
  });
}
