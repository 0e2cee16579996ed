import { GRAPH_BYTES_MAX } from '../limits.js';

/**
 * What service and graph process say to each other: frames of a length, a kind and a payload. Numbers are little-endian
 * float32, as in memory; the rest is JSON.
 */
type FrameKind = 'load' | 'run' | 'opened' | 'rejected' | 'results' | 'failed';

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

const KINDS: readonly FrameKind[] = ['load', 'run', 'opened', 'rejected', 'results', 'failed'];
const HEADER_BYTES = 5;

/** Of the largest file with its declaration. */
const PAYLOAD_BYTES_MAX = GRAPH_BYTES_MAX + 16 * 1024 * 1024;

function encodeFrame(kind: FrameKind, ...payload: readonly Uint8Array[]): Buffer {
  const bytes = payload.reduce((sum, part) => sum + part.byteLength, 0);
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32LE(bytes, 0);
  header[4] = KINDS.indexOf(kind);
  return Buffer.concat([header, ...payload], HEADER_BYTES + bytes);
}

export function encodeNumbers(kind: 'run' | 'results', numbers: Float32Array): Buffer {
  return encodeFrame(kind, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
}

export function encodeJson(kind: 'opened' | 'rejected' | 'failed', value: unknown): Buffer {
  return encodeFrame(kind, Buffer.from(JSON.stringify(value)));
}

/** A file with what is declared of it. */
export function encodeLoad(declared: unknown, file: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(declared));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return encodeFrame('load', length, json, file);
}

export function decodeLoad<T>(payload: Buffer): { readonly declared: T; readonly file: Buffer } {
  const end = 4 + payload.readUInt32LE(0);
  return { declared: JSON.parse(payload.toString('utf8', 4, end)) as T, file: payload.subarray(end) };
}

/** A copy, since float32 numbers must be aligned. */
export function decodeNumbers({ buffer, byteOffset, byteLength }: Buffer): Float32Array {
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
}

/** Puts frames together from the chunks of a stream; throws for bytes that are no frame. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** The frame that this chunk completes; at most one is under way, since each question waits for its answer. */
  push(chunk: Buffer): Frame | undefined {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < HEADER_BYTES) return undefined;
    const first = this.#chunks[0] as Buffer;
    const head = first.length >= HEADER_BYTES ? first : this.#join();
    const bytes = head.readUInt32LE(0);
    const kind = KINDS[head[4] as number];
    if (kind === undefined || bytes > PAYLOAD_BYTES_MAX) throw new Error(`no frame: kind ${head[4]}, ${bytes} bytes`);
    if (this.#bytes < HEADER_BYTES + bytes) return undefined;
    const payload = this.#join().subarray(HEADER_BYTES, HEADER_BYTES + bytes);
    this.#chunks = [];
    this.#bytes = 0;
    return { kind, payload };
  }

  #join(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }
}
