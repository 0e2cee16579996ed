import { createHttpServer, type FastifyInstance, type HttpServerOptions } from '@perennial/service-host';
import { LIMITS } from '../domain/limits.js';
import { addClockRoutes, type ClockRoutesOptions } from './clock-routes.js';
import { addCors } from './cors.js';
import { prepareDoor } from './door.js';
import { addEventRoutes, EVENT_PATHS } from './event-routes.js';

/** The HTTP door: health and metrics as every service has them, beside the event and clock routes with their raw bodies. */
export function createDoorServer(
  options: Omit<HttpServerOptions, 'bodyLimitBytes'>,
  routes: ClockRoutesOptions,
): FastifyInstance {
  const server = createHttpServer({ ...options, bodyLimitBytes: LIMITS.batchBytesMax });
  // A scope of its own, so that its parsers, hooks and error form stay among its routes.
  void server.register((scope, _options, done) => {
    prepareDoor(scope);
    addCors(scope, EVENT_PATHS);
    addEventRoutes(scope, routes.door);
    addClockRoutes(scope, routes);
    done();
  });
  return server;
}
