import type { Access } from '@perennial/access';
import { createTestAccess } from '@perennial/access/testing';
import { createHttpServer, type FastifyInstance, type HttpServerOptions } from '@perennial/service-host';
import { createMetrics, createSilentLogger, type Metrics } from '@perennial/telemetry';

/** A server that is ready, silent, and lets the test token in (`@perennial/access/testing`), unless told otherwise. */
export function createTestServer(
  options: Partial<HttpServerOptions> & { readonly access?: Access } = {},
): FastifyInstance {
  const metrics: Metrics = createMetrics({ service: 'test', namespace: 'test', processMetrics: false });
  return createHttpServer({
    logger: createSilentLogger(),
    metrics,
    metricsAccess: 'open',
    access: createTestAccess(),
    readiness: () => ({ ready: true, reasons: [] }),
    ...options,
  });
}
