import { AppError, toSha256 } from '@perennial/kernel';
import type { Layout } from './spec.js';

/** What a learner believes after so many updates: effects are jointly normal. Never changed; an update makes another. */
export interface Snapshot {
  /** Counts updates from 0. */
  readonly number: number;
  /** Time of the latest outcome; 0 before the first. */
  readonly lastMs: number;
  /** Mean of each effect. */
  readonly means: Float64Array;
  /** Lower triangle of the inverse covariance, row by row. */
  readonly precisions: readonly Float64Array[];
  /** Outcomes and rewards of each option, without decay. */
  readonly pulls: Float64Array;
  readonly rewards: Float64Array;
}

/** The prior. */
export function createSnapshot({ priorMeans, priorPrecisions, options }: Layout): Snapshot {
  return {
    number: 0,
    lastMs: 0,
    means: Float64Array.from(priorMeans),
    precisions: Array.from(priorPrecisions, (precision, row) => {
      const line = new Float64Array(row + 1);
      line[row] = precision;
      return line;
    }),
    pulls: new Float64Array(options.length),
    rewards: new Float64Array(options.length),
  };
}

const FORMAT = 1;
const HASH_BYTES = 32;
/** Format, hash of the spec, hash of what follows. */
const HEAD_BYTES = 1 + 2 * HASH_BYTES;

/** Format (1 byte), the spec's SHA-256, the SHA-256 of the rest; the rest are little-endian doubles: number, lastMs, means, pulls, rewards, precisions. */
export function encodeSnapshot({ hash }: Layout, snapshot: Snapshot): Uint8Array {
  const { number, lastMs, means, pulls, rewards, precisions } = snapshot;
  const values = [[number, lastMs], means, pulls, rewards, ...precisions].flatMap((part) => [...part]);
  const body = Buffer.alloc(8 * values.length);
  for (const [at, value] of values.entries()) body.writeDoubleLE(value, 8 * at);
  return Buffer.concat([Buffer.of(FORMAT), Buffer.from(hash, 'hex'), Buffer.from(toSha256(body), 'hex'), body]);
}

/** Throws `data_damaged` for bytes that are no snapshot, or one of another format or spec. */
export function decodeSnapshot(layout: Layout, bytes: Uint8Array): Snapshot {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const effects = layout.priorMeans.length;
  const options = layout.options.length;
  const fail = (what: string) => new AppError('data_damaged', `a snapshot of a learner ${what}`);
  if (buffer[0] !== FORMAT) throw fail(`has the format ${buffer[0] ?? 'of no bytes'}; known is ${FORMAT}`);
  if (buffer.toString('hex', 1, 1 + HASH_BYTES) !== layout.hash) throw fail('is of another spec');
  const body = buffer.subarray(HEAD_BYTES);
  if (body.length !== 8 * (2 + effects + 2 * options + (effects * (effects + 1)) / 2))
    throw fail('is of another length');
  if (buffer.toString('hex', 1 + HASH_BYTES, HEAD_BYTES) !== toSha256(body))
    throw fail('has changed since it was written');
  let at = 0;
  const take = (length: number) =>
    Float64Array.from({ length }, () => {
      at += 8;
      return body.readDoubleLE(at - 8);
    });
  const [number = 0, lastMs = 0] = take(2);
  const [means, pulls, rewards] = [take(effects), take(options), take(options)];
  return {
    number,
    lastMs,
    means,
    pulls,
    rewards,
    precisions: Array.from({ length: effects }, (_, row) => take(row + 1)),
  };
}
