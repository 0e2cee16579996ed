import type { ErrorCode } from '@perennial/kernel';
import { isAppError } from '@perennial/kernel';

/** What an error becomes on the wire. */
export interface ErrorReply {
  readonly status: number;
  readonly body: { readonly error: string; readonly message: string };
  readonly headers: Readonly<Record<string, string>>;
}

/** How long a client should wait after 503; SDKs back off further by themselves. */
const RETRY_AFTER_SECONDS = 1;

const STATUS_BY_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  contract_violation: 400,
  not_found: 404,
  limit_exceeded: 413,
  dependency_unavailable: 503,
  fenced: 503,
  resource_exhausted: 503,
  timeout: 503,
};

/** Maps what a handler threw to a reply: our codes by table, Fastify's 4xx as they are, anything else 500 without its message. */
export function toErrorReply(error: unknown): ErrorReply {
  if (isAppError(error)) {
    const status = STATUS_BY_CODE[error.code];
    if (status !== undefined) {
      const headers: Record<string, string> = status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {};
      return { status, body: { error: error.code, message: error.message }, headers };
    }
  }
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return {
      status: statusCode,
      body: { error: (code ?? 'bad_request').toLowerCase(), message: message ?? '' },
      headers: {},
    };
  }
  return { status: 500, body: { error: 'internal', message: 'internal error' }, headers: {} };
}
