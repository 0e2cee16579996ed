import { AppError, type ErrorCode, isErrorCode } from '@perennial/kernel';

/** Upper bound for `Retry-After`, whatever a server asks for. */
const RETRY_AFTER_MS_MAX = 60_000;

/** Codes for responses without problem details, for example from a proxy. */
const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
};

/** A failed response as an AppError: by the problem details in its body, or by its status when there are none. */
export function toApiError(service: string, response: Response, text: string): AppError {
  const { status } = response;
  const { code, detail } = parseProblem(text);
  const message = `${service} answers ${status}: ${detail ?? (text.slice(0, 500) || 'nothing')}`;
  const retriable = status === 429 || status >= 500;
  const fallback = CODE_BY_STATUS[status] ?? (retriable ? 'dependency_unavailable' : 'contract_violation');
  return new AppError(code ?? fallback, message, {
    retriable,
    details: { status, retryAfterMs: toRetryAfterMs(response) },
  });
}

function parseProblem(text: string): { code: ErrorCode | undefined; detail: string | undefined } {
  try {
    const { code, detail } = JSON.parse(text) as { code?: unknown; detail?: unknown };
    return {
      code: isErrorCode(code) ? code : undefined,
      detail: typeof detail === 'string' ? detail : undefined,
    };
  } catch {
    // For example a proxy's page: the status is enough.
    return { code: undefined, detail: undefined };
  }
}

function toRetryAfterMs(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, RETRY_AFTER_MS_MAX) : 0;
}
