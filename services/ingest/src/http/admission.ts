import type { FastifyInstance, FastifyRequest } from '@perennial/service-host';
import type { Source } from '../ports.js';
import { addBodyBudget } from './body-budget.js';
import { HttpRejection } from './http-rejection.js';
import type { IngestContext } from './ingest-context.js';
import { parseAuthorization, readQueryKey } from './write-key.js';

/** The sources of requests whose write key was in the header or the query. */
const sources = new WeakMap<FastifyRequest, Source>();

/**
 * Checks each request before its body is read. A write key in the header or the query must be known, and its source
 * within its rate. A request without one, or with one that is not known, uses up the allowance of its address: nobody
 * can make ingest receive and unpack bodies, or look up keys, without a limit.
 */
export function addAdmission(server: FastifyInstance, ingest: IngestContext): void {
  server.addHook('onRequest', async (request) => {
    // Preflights have no body, and no key.
    if (request.routeOptions.config.access !== 'write-key') return;
    const writeKey = parseAuthorization(request.headers.authorization) ?? readQueryKey(request.query);
    if (writeKey === undefined) {
      limitAddress(ingest, ingest.addresses.take(request.ip));
      return;
    }
    if (!ingest.sources.isKnown(writeKey)) limitAddress(ingest, ingest.addresses.check(request.ip));
    const source = await ingest.sources.find(writeKey);
    if (source === undefined) {
      ingest.addresses.take(request.ip);
      throw createUnauthorized('the write key is unknown or revoked');
    }
    admit(ingest, source, 0);
    sources.set(request, source);
  });
  addBodyBudget(server, ingest);
}

/** The source that was known before the body, or the one of the key in the body; 401 for none. */
export async function findSource(
  ingest: IngestContext,
  request: FastifyRequest,
  keyInBody: string | undefined,
): Promise<Source> {
  const known = sources.get(request);
  if (known !== undefined) return known;
  if (keyInBody === undefined) throw createUnauthorized('a write key is needed');
  const source = await ingest.sources.find(keyInBody);
  if (source !== undefined) return source;
  throw createUnauthorized('the write key is unknown or revoked');
}

/** Whether the request's source is known without its body. */
export function hasSource(request: FastifyRequest): boolean {
  return sources.has(request);
}

function createUnauthorized(message: string): HttpRejection {
  return new HttpRejection(401, 'invalid_write_key', message, { 'www-authenticate': 'Basic realm="write key"' });
}

function limitAddress(ingest: IngestContext, retryAfterMs: number): void {
  if (retryAfterMs === 0) return;
  ingest.limited('address');
  throw createRateLimited('this address sends too many requests without a valid write key in a header', retryAfterMs);
}

/** Takes these events from the source's rate, or throws 429 with the time to wait. */
export function admit(ingest: IngestContext, source: Source, events: number): void {
  const retryAfterMs = ingest.sources.admit(source, events);
  if (retryAfterMs === 0) return;
  ingest.limited('source');
  throw createRateLimited(`source ${source.name} sends more than ${source.eventsPerSecondMax} events/s`, retryAfterMs);
}

function createRateLimited(message: string, retryAfterMs: number): HttpRejection {
  const seconds = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  // Both in seconds from now, as @segment/analytics-node (Retry-After) and analytics-next (X-RateLimit-Reset) read them.
  return new HttpRejection(429, 'rate_limited', message, { 'retry-after': seconds, 'x-ratelimit-reset': seconds });
}
