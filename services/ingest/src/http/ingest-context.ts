import type { IdentityRules } from '@perennial/identity';
import type { Clock } from '@perennial/kernel';
import type { FastifyInstance } from '@perennial/service-host';
import { toProblemReply } from '@perennial/service-host';
import type { AddressLimit } from '../address-limit.js';
import type { IgnoredField } from '../domain/ignored-field.js';
import { LIMITS } from '../domain/limits.js';
import type { ClockMode } from '../domain/parse-timestamp.js';
import type { PlaceholderIds } from '../domain/placeholder-ids.js';
import type { Rejection } from '../domain/rejection.js';
import type { FindPlan } from '../plan-directory.js';
import type { Publisher } from '../publisher.js';
import type { ReceiveResult } from '../receive.js';
import type { RecordContext } from '../records.js';
import type { SourceDirectory } from '../source-directory.js';
import type { RequestLimit } from '../telemetry.js';
import { HttpRejection } from './http-rejection.js';
import { createTooLarge } from './read-body.js';

/** Dependencies of HTTP ingest. */
export interface IngestContext {
  readonly sources: SourceDirectory;
  readonly addresses: AddressLimit;
  /** Bytes of bodies being received or processed at a time. */
  readonly bodiesBytesMax: number;
  readonly publisher: Publisher;
  readonly records: RecordContext;
  readonly clockMode: ClockMode;
  readonly placeholders: () => PlaceholderIds;
  readonly identity: () => IdentityRules;
  readonly plans: FindPlan;
  readonly clock: Clock;
  /** Reports the result of a request to the metrics. */
  readonly count: (result: { readonly accepted: number; readonly rejections: readonly Rejection[] }) => void;
  /** Reports a request that was answered 429, or 503 for its body. */
  readonly limited: (limit: RequestLimit) => void;
  /** Reports the fields of accepted events that could not be used. */
  readonly countIgnored: (sourceId: string, fields: readonly IgnoredField[]) => void;
  /** Reports what the source's plan does not allow, and the personal fields that went no further. */
  readonly countPlanned: (sourceId: string, result: ReceiveResult) => void;
}

/** Reads bodies raw, whatever their content type (browsers send beacons as text/plain); all errors have one form. */
export function prepareEventRoutes(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: LIMITS.batchBytesMax }, (_request, body, done) =>
    done(null, body),
  );
  server.addHook('preValidation', (request, _reply, done) => {
    // A POST without content type or body does not reach the parsers.
    if (!Buffer.isBuffer(request.body)) request.body = Buffer.alloc(0);
    done();
  });
  server.setErrorHandler((error, request, reply) => {
    const rejection = toHttpRejection(error);
    if (rejection !== undefined) {
      const { status, code, message, headers } = rejection;
      return reply.code(status).headers(headers).send({ success: false, error: code, message });
    }
    const { problem, headers } = toProblemReply(error, request.url);
    if (problem.status >= 500) request.log.warn({ error, route: request.routeOptions.url }, 'request failed');
    return reply
      .code(problem.status)
      .headers(headers)
      .send({ success: false, error: problem.code, message: problem.detail });
  });
}

function toHttpRejection(error: unknown): HttpRejection | undefined {
  if (error instanceof HttpRejection) return error;
  const tooLarge = (error as { code?: string }).code === 'FST_ERR_CTP_BODY_TOO_LARGE';
  return tooLarge ? createTooLarge() : undefined;
}
