import { type ErrorCode, isAppError } from '@perennial/kernel';
import { type Static, Type } from '@sinclair/typebox';

const FIELD_PROBLEM = Type.Object({
  in: Type.Union([Type.Literal('path'), Type.Literal('query'), Type.Literal('body')]),
  field: Type.String({ description: 'Such as `limit` or `userIds/3`; empty for the body as a whole.' }),
  detail: Type.String(),
});

/** Problem details as in RFC 9457: the error form of every route except those with the Segment API. */
export const PROBLEM_SCHEMA = Type.Object({
  type: Type.String({ description: 'The kind of problem, as a URN of `code`.' }),
  title: Type.String({ description: 'The status in words.' }),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String({ description: 'Path of the request.' }),
  code: Type.String({ description: 'The kind of problem, of a closed set.' }),
  errors: Type.Optional(Type.Array(FIELD_PROBLEM, { description: 'What validation found, 20 at most.' })),
});

/** What is wrong with one part of a request. */
type FieldProblem = Static<typeof FIELD_PROBLEM>;

/** `internal` hides details that must not leave the service. */
type ProblemCode = ErrorCode | 'internal';

export type Problem = Omit<Static<typeof PROBLEM_SCHEMA>, 'code'> & { readonly code: ProblemCode };

/** The error response. */
export interface ProblemReply {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** How long a client should wait after 503; SDKs increase their wait by themselves. */
const RETRY_AFTER_SECONDS = 1;

/** For a body with a thousand wrong entries only the first ones are described. */
const FIELD_PROBLEMS_MAX = 20;

const STATUS_BY_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  contract_violation: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  limit_exceeded: 413,
  dependency_unavailable: 503,
  fenced: 503,
  resource_exhausted: 503,
  timeout: 503,
};

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  413: 'limit_exceeded',
  431: 'limit_exceeded',
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/**
 * Maps a thrown value to a reply: our codes by table, Fastify's 4xx unchanged, anything else 500 without its message.
 */
export function toProblemReply(error: unknown, instance: string): ProblemReply {
  if (isAppError(error)) {
    const status = STATUS_BY_CODE[error.code];
    if (status !== undefined) return toReply({ status, code: error.code, detail: error.message, instance });
  }
  const { statusCode: status, message: detail = '' } = error as { statusCode?: number; message?: string };
  if (status === undefined || status < 400 || status >= 500) {
    return toReply({ status: 500, code: 'internal', detail: 'internal error', instance });
  }
  const errors = toFieldProblems(error);
  return toReply({
    status,
    code: toCode(status),
    detail: errors?.map(toSentence).join('; ') ?? detail,
    instance,
    errors,
  });
}

/** The problem of a request that reached no route. */
export function toStatusProblem(parts: { status: number; detail: string; instance: string }): Problem {
  return toReply({ ...parts, code: toCode(parts.status) }).problem;
}

function toCode(status: number): ErrorCode {
  return CODE_BY_STATUS[status] ?? 'contract_violation';
}

function toReply(parts: {
  status: number;
  code: ProblemCode;
  detail: string;
  instance: string;
  errors?: FieldProblem[] | undefined;
}): ProblemReply {
  const { status, code, detail, instance, errors } = parts;
  const type = `urn:perennial:problem:${code}`;
  const title = TITLES[status] ?? 'Error';
  return {
    problem: { type, title, status, detail, instance, code, ...(errors === undefined ? {} : { errors }) },
    headers: status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {},
  };
}

const PARTS = { params: 'path', querystring: 'query', body: 'body' } as const;

interface ValidationFailure {
  readonly validation?: ReadonlyArray<{
    readonly instancePath: string;
    readonly message?: string;
    readonly params?: { readonly missingProperty?: unknown };
  }>;
  readonly validationContext?: string;
}

/** The problems that Fastify's validation found; undefined for any other error. */
function toFieldProblems(error: unknown): FieldProblem[] | undefined {
  const { validation, validationContext = 'body' } = error as ValidationFailure;
  if (validation === undefined) return undefined;
  const part = PARTS[validationContext as keyof typeof PARTS] ?? 'body';
  return validation.slice(0, FIELD_PROBLEMS_MAX).map(({ instancePath, message = 'is invalid', params }) => {
    const missing = params?.missingProperty;
    if (typeof missing !== 'string') return { in: part, field: instancePath.slice(1), detail: message };
    return { in: part, field: `${instancePath}/${missing}`.slice(1), detail: 'is missing' };
  });
}

function toSentence({ in: part, field, detail }: FieldProblem): string {
  return field === '' ? `the ${part} ${detail}` : `${field} ${detail}`;
}
