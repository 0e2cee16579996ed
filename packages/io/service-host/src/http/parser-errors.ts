import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEM_MEDIA_TYPE, type Problem, toStatusProblem } from './problem.js';

/** What Node's HTTP parser reports; `rawPacket` holds the bytes that it could not parse. */
interface ParserError extends Error {
  readonly code?: string;
  readonly reason?: string;
  /** A buffer, whatever its type says. */
  readonly rawPacket?: unknown;
}

export type ParserErrorReason = 'headers_too_large' | 'timeout' | 'chunk_too_large' | 'syntax';

/** A response body in another form than problem details, for routes whose clients expect one. */
export interface ErrorBody {
  readonly mediaType: string;
  readonly body: string;
}

export interface ParserErrorOptions {
  /** The form of errors of a path; undefined: problem details. */
  readonly formatProblem: (problem: Problem) => ErrorBody | undefined;
  readonly count: (reason: ParserErrorReason) => void;
}

interface Current {
  readonly path: string;
  readonly response: ServerResponse;
}

const CASES: Readonly<Record<ParserErrorReason, { status: number; detail: string }>> = {
  headers_too_large: { status: 431, detail: 'the request line and headers are larger than 16 KiB' },
  timeout: { status: 408, detail: 'the request did not arrive in time' },
  chunk_too_large: { status: 413, detail: 'the extensions of a chunk are larger than 16 KiB' },
  syntax: { status: 400, detail: 'the request is no valid HTTP/1.1' },
};

/** The characters of a path that a response may repeat; a query could hold a write key. */
const REQUEST_LINE = /^[A-Z]{1,16} (\/[\w.~%/-]{0,200})(\?\S*)? HTTP\//;
const REQUEST_LINE_BYTES_MAX = 1_024;

/**
 * Handler of Fastify's `clientError`: a request that Node's parser did not accept, or that did not arrive in time, is
 * answered in the form of all errors, counted, and its connection is closed.
 */
export function createParserErrorHandler(options: ParserErrorOptions) {
  const current = new WeakMap<Socket, Current>();
  const answered = new WeakSet<Socket>();
  return {
    /** Notes which request a connection is in: a body that breaks off is an error of that request. */
    watch(server: Server): void {
      server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
        current.set(request.socket, { path: (request.url ?? '').split('?', 1)[0] ?? '', response });
      });
    },
    handle(error: ParserError, socket: Socket): void {
      if (error.code === 'ECONNRESET' || !socket.writable || answered.has(socket)) {
        socket.destroy();
        return;
      }
      answered.add(socket);
      const reason = toReason(error);
      options.count(reason);
      const request = toCurrent(current.get(socket));
      // A response that has begun cannot be replaced by another one.
      if (request?.response.headersSent === true) socket.destroy();
      else socket.end(toResponse({ reason, error, path: request?.path ?? toPath(error.rawPacket) }, options));
      socket.destroySoon();
    },
  };
}

/** The request that is not answered yet. */
function toCurrent(request: Current | undefined): Current | undefined {
  return request?.response.writableFinished === true ? undefined : request;
}

function toReason({ code }: ParserError): ParserErrorReason {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'timeout';
  return code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW' ? 'chunk_too_large' : 'syntax';
}

function toPath(rawPacket: unknown): string {
  if (!Buffer.isBuffer(rawPacket)) return '';
  return REQUEST_LINE.exec(rawPacket.subarray(0, REQUEST_LINE_BYTES_MAX).toString('latin1'))?.[1] ?? '';
}

function toResponse(
  { reason, error, path }: { reason: ParserErrorReason; error: ParserError; path: string },
  { formatProblem }: ParserErrorOptions,
): string {
  const { status, detail } = CASES[reason];
  const why = reason === 'syntax' && error.reason !== undefined ? `${detail}: ${error.reason}` : detail;
  const problem = toStatusProblem({ status, detail: why, instance: path });
  const { mediaType, body } = formatProblem(problem) ?? {
    mediaType: PROBLEM_MEDIA_TYPE,
    body: JSON.stringify(problem),
  };
  return [
    `HTTP/1.1 ${status} ${problem.title}`,
    `content-type: ${mediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
