import { AppError, toMessage, withLimit } from '@perennial/kernel';
import { type Operations, ROUTES } from './generated/operations.js';
import { toApiError } from './to-api-error.js';

/** Timeout of a call, response included. */
const CALL_TIMEOUT_MS = 30_000;

type OperationId = keyof Operations;
type ApiService = (typeof ROUTES)[OperationId]['service'];

/** The parameters of an operation: `path`, `query` and `body`, where it has them. */
type ApiRequest<Id extends OperationId> = Omit<Operations[Id], 'answer'>;
type ApiAnswer<Id extends OperationId> = Operations[Id]['answer'];

export interface ApiClientOptions {
  /** URL of a service; read for each call, since a restarted service may listen on another port. */
  urlOf(service: ApiService): string | Promise<string>;
  readonly token: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ApiClient {
  /**
   * Calls an operation by its id. Throws AppError with the code of the problem that the service reports; retriable
   * `dependency_unavailable` when it is unavailable, fails or does not answer in time. `details` has `status` and
   * `retryAfterMs`.
   */
  call<Id extends OperationId>(
    id: Id,
    ...request: keyof ApiRequest<Id> extends never ? [] : [request: ApiRequest<Id>]
  ): Promise<ApiAnswer<Id>>;
}

/** The parts of any request, untyped. */
interface RequestParts {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
}

export function createApiClient(options: ApiClientOptions): ApiClient {
  return {
    async call(id, ...[request]) {
      const { service, method, path } = ROUTES[id];
      const parts = (request ?? {}) as RequestParts;
      const base = await options.urlOf(service);
      const init = { method, ...toPayload(options.token, parts.body) };
      const { response, text } = await send(new URL(toTarget(path, parts), base), init, { service, ...options });
      if (!response.ok) throw toApiError(service, response, text);
      return parseAnswer(service, text) as ApiAnswer<typeof id>;
    },
  };
}

function toTarget(template: string, { path = {}, query = {} }: RequestParts): string {
  const target = template.replace(/\{(\w+)\}/g, (_match, name: string) => encodeURIComponent(path[name] ?? ''));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) asked.set(name, String(value));
  return asked.size === 0 ? target : `${target}?${asked}`;
}

function toPayload(token: string, body: unknown): { headers: Record<string, string>; body?: string } {
  const headers = { authorization: `Bearer ${token}` };
  if (body === undefined) return { headers };
  return { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

async function send(
  url: URL,
  init: RequestInit,
  { service, timeoutMs = CALL_TIMEOUT_MS, signal }: ApiClientOptions & { readonly service: ApiService },
): Promise<{ response: Response; text: string }> {
  try {
    return await withLimit({ ms: timeoutMs, message: `no answer within ${timeoutMs} ms`, signal }, async (ended) => {
      const response = await fetch(url, { ...init, signal: ended });
      return { response, text: await response.text() };
    });
  } catch (cause) {
    if (signal?.aborted) throw new AppError('timeout', `the call of ${service} was given up`, { cause });
    const reason = cause instanceof Error && cause.cause !== undefined ? toMessage(cause.cause) : toMessage(cause);
    throw new AppError('dependency_unavailable', `${service} is away: ${reason}`, { retriable: true, cause });
  }
}

function parseAnswer(service: ApiService, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('contract_violation', `${service} answered no JSON: ${text.slice(0, 200)}`, { cause });
  }
}
