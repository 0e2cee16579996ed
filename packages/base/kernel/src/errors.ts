const ERROR_CODES = [
  'artifact_invalid',
  'config_invalid',
  'conflict',
  'contract_violation',
  'data_damaged',
  'dependency_unavailable',
  'dependency_misconfigured',
  'fenced',
  'forbidden',
  'limit_exceeded',
  'not_found',
  'resource_exhausted',
  'timeout',
  'unauthenticated',
] as const;

/** Closed set of operational failures; any other thrown value is a programmer error and crashes. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Whether a value is an error code, for example one received over the wire. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return ERROR_CODES.some((code) => code === value);
}

/** An operational failure: `code` says what failed, `retriable` whether a retry can help, `cause` why. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retriable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { retriable?: boolean; cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retriable = options.retriable ?? false;
    this.details = options.details ?? {};
  }
}

/** True for an `AppError`, and only for the given code when one is given. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** The message of any thrown value. */
export function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
