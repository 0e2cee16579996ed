import type { FastifyInstance } from '@perennial/service-host';

const PREFLIGHT_SECONDS = '86400';
const ALLOWED = ['authorization', 'content-type', 'content-encoding'];
/** Of a longer list none is allowed: the response would repeat it. */
const REQUESTED_CHARS_MAX = 4_096;
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * Browsers of any site may send: a write key is public there, and no cookie is used. The origin is named and credentials
 * are allowed, although none are read, since a browser sends a beacon as a request with credentials, and then
 * accepts no `*`.
 */
export function addCors(server: FastifyInstance, paths: readonly string[]): void {
  const open = new Set(paths);
  server.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (origin !== undefined && open.has(request.routeOptions.url ?? '')) {
      reply.header('access-control-allow-origin', origin);
      reply.header('access-control-allow-credentials', 'true');
      reply.header('access-control-expose-headers', 'retry-after, x-ratelimit-reset');
      reply.header('vary', 'origin');
    }
    done();
  });
  for (const path of paths) {
    server.options(path, { config: { access: 'open' } }, (request, reply) =>
      reply
        .code(204)
        .header('access-control-allow-methods', 'POST, OPTIONS')
        .header('access-control-allow-headers', toAllowedHeaders(request.headers['access-control-request-headers']))
        .header('access-control-max-age', PREFLIGHT_SECONDS)
        .header('vary', 'origin, access-control-request-headers')
        .send(),
    );
  }
}

/**
 * The headers that a page may send: those it asks for. SDKs add their own (`anonymousid`), and so does every tool that
 * traces a page's requests (`traceparent`, `sentry-trace`, `x-datadog-trace-id`); none of them changes anything here.
 */
function toAllowedHeaders(requested: unknown): string {
  if (typeof requested !== 'string' || requested.length > REQUESTED_CHARS_MAX) return ALLOWED.join(', ');
  const names = requested
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => TOKEN.test(name));
  return [...new Set([...ALLOWED, ...names])].join(', ');
}
