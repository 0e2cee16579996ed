import { AppError, isAppError, toMessage } from '@perennial/kernel';

/** SQLSTATE classes of transient failures: connection, resources, operator intervention, system, and lost races. */
const PASSING_CLASSES = new Set(['08', '53', '57', '58', '40', '55']);
const PASSING_SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** Errors that node-postgres throws without a code. */
const PASSING_MESSAGES =
  /connection terminated|read timeout|timeout (expired|exceeded)|client has encountered a connection error|not queryable/i;

/** True when PostgreSQL is unavailable, starting, overloaded or lost a race: the same statement may succeed later. */
export function isPassing(error: unknown): boolean {
  if (isAppError(error)) return error.retriable;
  if (typeof error !== 'object' || error === null) return false;
  // Tests the error's fields, not its class: a socket's errors may come from another realm.
  const { code, message, errors } = error as { code?: unknown; message?: unknown; errors?: unknown };
  if (Array.isArray(errors) && errors.some(isPassing)) return true;
  if (typeof code !== 'string') return PASSING_MESSAGES.test(String(message));
  return PASSING_SYSTEM_CODES.has(code) || (code.length === 5 && PASSING_CLASSES.has(code.slice(0, 2)));
}

/**
 * Runs a request to PostgreSQL and maps its failures to ours; their messages begin with `what`, such as `listing
 * actions`.
 */
export async function askPostgres<T>(what: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    throw toPostgresError(what, error);
  }
}

/** Maps a PostgreSQL failure: `dependency_unavailable` and retriable when it is transient, otherwise unchanged. */
export function toPostgresError(what: string, error: unknown): unknown {
  if (isAppError(error) || !isPassing(error)) return error;
  return new AppError('dependency_unavailable', `${what}: ${toMessage(error)}`, { retriable: true, cause: error });
}
