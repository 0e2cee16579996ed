import {
  createHttpServer,
  type FastifyInstance,
  type HttpServerOptions,
  type Operation,
} from '@perennial/service-host';
import { LIMITS } from '../domain/limits.js';
import { addClockRoutes, type ClockRoutesOptions } from './clock-routes.js';
import { addCors } from './cors.js';
import { addEventRoutes, EVENT_OPERATIONS, EVENT_PATHS } from './event-routes.js';
import { prepareEventRoutes } from './ingest-context.js';
import { advanceClock, getClock } from './operations.js';

/** The HTTP contract of this service. */
export const OPERATIONS: readonly Operation[] = [getClock, advanceClock, ...EVENT_OPERATIONS];

/** HTTP ingest: the event routes with raw bodies, and the clock, health and metrics routes. */
export function createIngestServer(
  options: Omit<HttpServerOptions, 'bodyLimitBytes'>,
  routes: ClockRoutesOptions,
): FastifyInstance {
  const server = createHttpServer({ ...options, bodyLimitBytes: LIMITS.batchBytesMax });
  // A scope of its own, so that its parsers, hooks and error form apply to its routes only.
  void server.register(async (scope) => {
    prepareEventRoutes(scope);
    addCors(scope, EVENT_PATHS);
    addEventRoutes(scope, routes.ingest);
  });
  addClockRoutes(server, routes);
  return server;
}
