import { AppError, toMessage, withLimit } from '@perennial/kernel';
import { type IngestAddress, resolveUrl } from './ingest-address.js';
import { BACKFILL_LIMITS } from './limits.js';
import { askPatiently, type Retrying } from './retrying.js';

/** A final answer of ingest: neither retriable nor a rejected key. */
export interface BatchAnswer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Posts a batch as an SDK does, until ingest gives a final answer. It retries while ingest is unavailable, overloaded
 * (429) or failing (5xx). Throws `config_invalid` for a rejected write key.
 */
export function postBatch(address: IngestAddress, json: string, retrying: Retrying = {}): Promise<BatchAnswer> {
  return askPatiently(async () => {
    const response = await send(address, json, retrying.signal);
    const { status, retryAfterMs } = response;
    if (status === 429 || status >= 500) {
      const details = { retryAfterMs };
      throw new AppError('dependency_unavailable', `ingest answers ${status} to a batch`, { retriable: true, details });
    }
    if (status === 401) throw new AppError('config_invalid', `ingest rejects the write key (${status})`);
    return response;
  }, retrying);
}

async function send(
  address: IngestAddress,
  json: string,
  signal: AbortSignal | undefined,
): Promise<BatchAnswer & { readonly retryAfterMs: number }> {
  try {
    const base = await resolveUrl(address);
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${address.writeKey}` };
    const { requestTimeoutMs: ms } = BACKFILL_LIMITS;
    return await withLimit({ ms, message: `no answer within ${ms} ms`, signal }, async (ended) => {
      const init = { method: 'POST', headers, body: json, signal: ended };
      const response = await fetch(new URL('/v1/batch', base), init);
      const body = parseBody(await response.text());
      return { status: response.status, body, retryAfterMs: toRetryAfterMs(response) };
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? `: ${toMessage(error.cause)}` : '';
    throw new AppError('dependency_unavailable', `ingest is away (${toMessage(error)}${cause})`, {
      retriable: true,
      cause: error,
    });
  }
}

function toRetryAfterMs(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every answer has a JSON body; the status is enough.
    return text;
  }
}
