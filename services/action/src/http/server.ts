import { createHttpServer, type FastifyInstance, type Readiness } from '@perennial/http';
import type { Logger, Metrics } from '@perennial/telemetry';
import { type ActionRouteDeps, addActionRoutes } from './routes.js';

export interface ActionServerOptions extends ActionRouteDeps {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly readiness: () => Readiness;
}

/** The HTTP side of the service. */
export function createActionServer(options: ActionServerOptions): FastifyInstance {
  const { logger, metrics, readiness } = options;
  const server = createHttpServer({ logger, metrics, readiness });
  addActionRoutes(server, options);
  return server;
}
