import { createHttpServer, type FastifyInstance, type Readiness } from '@perennial/http';
import type { Logger, Metrics } from '@perennial/telemetry';
import { addFeatureRoutes, type FeatureRouteDeps, PARAM_CHARS_MAX } from './feature-routes.js';

export interface FeatureServerOptions extends FeatureRouteDeps {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly readiness: () => Readiness;
}

/** The HTTP side of the service. */
export function createFeatureServer(options: FeatureServerOptions): FastifyInstance {
  const { logger, metrics, readiness } = options;
  const server = createHttpServer({
    logger,
    metrics,
    readiness,
    fastify: { routerOptions: { maxParamLength: PARAM_CHARS_MAX } },
  });
  addFeatureRoutes(server, options);
  return server;
}
