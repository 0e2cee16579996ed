import type { Access } from '@perennial/access';
import { createTestAccess } from '@perennial/access/testing';
import {
  createHttpServer,
  type FastifyInstance,
  type HttpServerOptions,
  type Operation,
} from '@perennial/service-host';
import { createMetrics, createSilentLogger, type Metrics } from '@perennial/telemetry';

const routes = new WeakMap<FastifyInstance, string[]>();

/** A ready, silent server that accepts the test token (`@perennial/access/testing`), unless configured otherwise. */
export function createTestServer(
  options: Partial<HttpServerOptions> & { readonly access?: Access } = {},
): FastifyInstance {
  const metrics: Metrics = createMetrics({ service: 'test', namespace: 'test', processMetrics: false });
  const server = createHttpServer({
    logger: createSilentLogger(),
    metrics,
    metricsAccess: 'open',
    access: createTestAccess(),
    readiness: () => ({ ready: true, reasons: [] }),
    ...options,
  });
  const own: string[] = [];
  routes.set(server, own);
  server.addHook('onRoute', ({ method, url }) => {
    // Fastify adds a HEAD route for each GET by itself.
    if (method !== 'HEAD') own.push(`${String(method)} ${url}`);
  });
  return server;
}

/** The routes that were added to a test server, in the form of the contract: `GET /v1/features/{userId}`. */
export function listRoutes(server: FastifyInstance): string[] {
  return (routes.get(server) ?? []).map((route) => route.replace(/:(\w+)/g, '{$1}')).sort();
}

/** The expected result of `listRoutes` for a service with this contract. */
export function listContract(operations: readonly Operation[]): string[] {
  return operations.map(({ method, path }) => `${method} ${path}`).sort();
}
