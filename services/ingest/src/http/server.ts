import {
  addOperation,
  createHttpServer,
  type ErrorBody,
  type FastifyInstance,
  type HttpServerOptions,
  type Operation,
  type Problem,
} from '@perennial/service-host';
import { ADDRESS_LIMITS } from '../address-limit.js';
import { LIMITS } from '../domain/limits.js';
import { addAdmission } from './admission.js';
import { addClockRoutes, type ClockRoutesOptions } from './clock-routes.js';
import { addCors } from './cors.js';
import { EVENT_OPERATIONS, EVENT_PATHS, PAGE_PATHS } from './event-paths.js';
import { addEventRoutes } from './event-routes.js';
import { prepareEventRoutes } from './ingest-context.js';
import { addNoticeRoutes } from './notice-routes.js';
import { advanceClock, getClock, getRules } from './operations.js';

/** The HTTP contract of this service. */
export const OPERATIONS: readonly Operation[] = [getClock, advanceClock, getRules, ...EVENT_OPERATIONS];

/** HTTP ingest: the event routes with raw bodies, and the clock, health and metrics routes. */
export function createIngestServer(
  options: Omit<HttpServerOptions, 'bodyLimitBytes' | 'addressConnectionsMax'>,
  routes: ClockRoutesOptions & { readonly rulesHash: () => string | undefined },
): FastifyInstance {
  const server = createHttpServer({
    ...options,
    bodyLimitBytes: LIMITS.batchBytesMax,
    addressConnectionsMax: ADDRESS_LIMITS.connectionsMax,
    formatProblem,
  });
  // A scope of its own, so that its parsers, hooks and error form apply to its routes only.
  void server.register(async (scope) => {
    prepareEventRoutes(scope);
    addCors(scope, PAGE_PATHS);
    addAdmission(scope, routes.ingest);
    addEventRoutes(scope, routes.ingest);
    addNoticeRoutes(scope, routes.ingest);
  });
  addClockRoutes(server, routes);
  addOperation(server, getRules, async () => {
    const kinds = routes.ingest.identity().kinds.map(({ name }) => name);
    return { identity: { hash: routes.rulesHash() ?? null, kinds } };
  });
  return server;
}

/** Errors of event paths have the form of the Segment API, also those of requests that reach no route. */
function formatProblem({ instance, code, detail }: Problem): ErrorBody | undefined {
  if (!EVENT_PATHS.includes(instance)) return undefined;
  return { mediaType: 'application/json', body: JSON.stringify({ success: false, error: code, message: detail }) };
}
