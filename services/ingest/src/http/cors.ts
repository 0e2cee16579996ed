import type { FastifyInstance } from '@perennial/service-host';

const PREFLIGHT_SECONDS = '86400';

/** Browsers of any site may send: a write key is public there, and no cookie is used. */
export function addCors(server: FastifyInstance, paths: readonly string[]): void {
  const open = new Set(paths);
  server.addHook('onRequest', (request, reply, done) => {
    if (request.headers.origin !== undefined && open.has(request.routeOptions.url ?? '')) {
      reply.header('access-control-allow-origin', '*');
      reply.header('access-control-expose-headers', 'retry-after, x-ratelimit-reset');
    }
    done();
  });
  for (const path of paths) {
    server.options(path, { config: { access: 'open' } }, (_request, reply) =>
      reply
        .code(204)
        .header('access-control-allow-origin', '*')
        .header('access-control-allow-methods', 'POST, OPTIONS')
        .header('access-control-allow-headers', 'authorization, content-type, content-encoding')
        .header('access-control-max-age', PREFLIGHT_SECONDS)
        .send(),
    );
  }
}
