import { AppError } from '@perennial/kernel';
import type { FastifyInstance, FastifyRequest } from '@perennial/service-host';
import { LIMITS } from '../domain/limits.js';
import type { IngestContext } from './ingest-context.js';

/** Bytes of bodies being received or processed at a time; beyond it ingest answers 503, so that memory stays bounded. */
export const BODIES_BYTES_MAX = 128 * 1024 * 1024;

/** Reserves the bytes of each body before it is read, and releases them when its request ends. */
export function addBodyBudget(server: FastifyInstance, { bodiesBytesMax, limited }: IngestContext): void {
  let reserved = 0;
  server.addHook('onRequest', (request, reply, done) => {
    const bytes = toBytes(request);
    if (reserved + bytes > bodiesBytesMax) {
      limited('bodies');
      done(new AppError('resource_exhausted', 'too many bodies are being received', { retriable: true }));
      return;
    }
    reserved += bytes;
    let isReleased = false;
    const release = () => {
      if (!isReleased) reserved -= bytes;
      isReleased = true;
    };
    // A response that never finishes, since the client has left, closes all the same.
    reply.raw.once('finish', release).once('close', release);
    done();
  });
}

/** The bytes that a body may take in memory; a longer one is cut off with 413, also when it is unpacked. */
function toBytes({ headers, url }: FastifyRequest): number {
  const { 'content-length': length, 'content-encoding': encoding } = headers;
  if (length === undefined) return headers['transfer-encoding'] === undefined ? 0 : LIMITS.batchBytesMax;
  return isCompressed(encoding, url) ? LIMITS.batchBytesMax : Math.min(Number(length), LIMITS.batchBytesMax);
}

/** PostHog's beacons say so in the query. A body that says it nowhere counts as it was sent. */
function isCompressed(encoding: string | undefined, url: string): boolean {
  return (encoding ?? 'identity').trim().toLowerCase() !== 'identity' || url.includes('compression=');
}
