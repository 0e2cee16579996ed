import type { Access, Scope } from '@perennial/access';
import { isAppError } from '@perennial/kernel';
import type { FastifyInstance } from 'fastify';

/** Who may use a route: `open` is everyone; `write-key` routes check access themselves, as the Segment API requires. */
export type RouteAccess = Scope | 'open' | 'write-key';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Required for every route; the server does not start otherwise. */
    access?: RouteAccess;
  }
}

/**
 * Enforces each route's declared access; a route without a declaration makes the start fail. Call before any route is
 * added.
 */
export function guardRoutes(server: FastifyInstance, access: Access): void {
  server.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access !== undefined) return;
    throw new Error(`route ${String(method)} ${url} does not declare config.access`);
  });
  server.addHook('onRequest', async (request, reply) => {
    // Unknown routes answer 404 to everyone.
    if (request.is404) return;
    const { access: needed } = request.routeOptions.config;
    if (needed === 'open' || needed === 'write-key') return;
    if (needed === undefined) throw new Error('route without access');
    try {
      await access.authorize(request.headers.authorization, needed);
    } catch (error) {
      reply.headers(toChallenge(error, { scope: needed, hadToken: request.headers.authorization !== undefined }));
      throw error;
    }
  });
}

/** `WWW-Authenticate` as in RFC 6750: without a token only the scheme, otherwise with what was wrong with the token. */
function toChallenge(error: unknown, { scope, hadToken }: { scope: Scope; hadToken: boolean }): Record<string, string> {
  if (isAppError(error, 'forbidden')) {
    return { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` };
  }
  if (!isAppError(error, 'unauthenticated')) return {};
  return { 'www-authenticate': hadToken ? 'Bearer error="invalid_token"' : 'Bearer realm="perennial"' };
}
