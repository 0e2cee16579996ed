import { AppError, abortAfter, type Clock, isAppError, retry, systemClock, toMessage } from '@perennial/kernel';
import { BACKFILL_LIMITS } from './limits.js';

export interface IngestAddress {
  /** Asked again before each try: an ingest that was restarted may listen elsewhere. */
  readonly ingestUrl: string | (() => string | Promise<string>);
  readonly writeKey: string;
  /** Reads and moves the clock: scopes `read` and `operate`. */
  readonly token: string;
}

export interface Retrying {
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** Each wait is made visible. */
  readonly onRetry?: (failure: { readonly message: string; readonly waitMs: number }) => void;
}

/** What ingest answered that is neither a success nor worth another try. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Call {
  readonly path: string;
  readonly by: 'write key' | 'token';
  /** JSON; absent for a GET. */
  readonly body?: string;
}

/**
 * Calls ingest until it answers for good: away, overloaded (429) and failing (5xx) are tried again, with backoff
 * and `Retry-After`, for a bounded time. Throws `timeout` when that is over, `config_invalid` for a refused key or token.
 */
export async function callIngest(address: IngestAddress, call: Call, retrying: Retrying = {}): Promise<Answer> {
  const clock = retrying.clock ?? systemClock;
  const startMs = clock.steadyMs();
  let retryAfterMs = 0;
  const attempt = async (): Promise<Answer> => {
    if (retryAfterMs > 0) await clock.wait(retryAfterMs, retrying.signal);
    retryAfterMs = 0;
    throwIfAborted(retrying.signal);
    const { answer, waitMs } = await send(address, call, retrying.signal);
    retryAfterMs = waitMs;
    if (answer.status === 429 || answer.status >= 500) {
      throw new AppError('dependency_unavailable', `ingest answers ${answer.status} to ${call.path}`, {
        retriable: true,
      });
    }
    if (answer.status === 401 || answer.status === 403) {
      throw new AppError('config_invalid', `ingest refuses the ${call.by} (${answer.status} to ${call.path})`);
    }
    return answer;
  };
  const isRetriable = (error: unknown): boolean =>
    isAppError(error) && error.retriable && clock.steadyMs() - startMs < BACKFILL_LIMITS.retryTotalMaxMs;
  return retry(attempt, {
    initialMs: BACKFILL_LIMITS.retryInitialMs,
    maxMs: BACKFILL_LIMITS.retryMaxMs,
    clock,
    isRetriable,
    ...(retrying.signal === undefined ? {} : { signal: retrying.signal }),
    onRetry: ({ error, waitMs }) =>
      retrying.onRetry?.({ message: toMessage(error), waitMs: Math.max(waitMs, retryAfterMs) }),
  });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError('timeout', 'the backfill was interrupted; run it again to go on from here');
}

async function send(
  { ingestUrl, writeKey, token }: IngestAddress,
  { path, by, body }: Call,
  signal: AbortSignal | undefined,
): Promise<{ answer: Answer; waitMs: number }> {
  try {
    const base = typeof ingestUrl === 'string' ? ingestUrl : await ingestUrl();
    const request = {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        authorization: `Bearer ${by === 'token' ? token : writeKey}`,
      },
      ...(body === undefined ? {} : { body }),
    };
    return await abortAfter(BACKFILL_LIMITS.requestTimeoutMs, signal, async (ended) => {
      const response = await fetch(new URL(path, base), { ...request, signal: ended });
      const text = await response.text();
      return { answer: { status: response.status, body: parseBody(text) }, waitMs: toRetryAfterMs(response) };
    });
  } catch (error) {
    throwIfAborted(signal);
    const cause = error instanceof Error && error.cause !== undefined ? `: ${toMessage(error.cause)}` : '';
    throw new AppError('dependency_unavailable', `ingest is away (${toMessage(error)}${cause})`, {
      retriable: true,
      cause: error,
    });
  }
}

function toRetryAfterMs(response: Response): number {
  if (response.status !== 429 && response.status < 500) return 0;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, BACKFILL_LIMITS.retryAfterMaxMs) : 0;
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every answer has a JSON body; the status tells enough.
    return text;
  }
}
