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

/** Closed set of operational failures; anything else thrown is a programmer error and crashes. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Whether a value is one of them, such as one that came over the wire. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return ERROR_CODES.some((code) => code === value);
}

/** An operational failure: `code` says what, `retriable` whether trying again can help, `cause` why. */
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

/** True for an `AppError`, of the given code where one is named. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** The message of anything that was thrown. */
export function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
