import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SNIFF_BYTES } from './text-decoder.js';

/** What a file is read from: its path, or a function that opens its bytes anew. */
export type HistorySource = string | (() => Readable);

const CHUNK_BYTES = 1 << 18;

/** The bytes of the file, unzipped when it begins with gzip's magic number, whatever its name; `head` are the first. */
export async function openBytes(source: HistorySource): Promise<{ head: Buffer; chunks: AsyncIterable<Buffer> }> {
  const raw = typeof source === 'string' ? createReadStream(source, { highWaterMark: CHUNK_BYTES }) : source();
  const { head, chunks } = await readHead(raw);
  if (head[0] !== 0x1f || head[1] !== 0x8b) return { head, chunks };
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  pipeline(Readable.from(chunks), gunzip, () => {
    // An error of either stream reaches the reader through the iteration of `gunzip`.
  });
  return readHead(gunzip);
}

async function readHead(stream: Readable): Promise<{ head: Buffer; chunks: AsyncIterable<Buffer> }> {
  const rest = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first: Buffer[] = [];
  let length = 0;
  while (length < SNIFF_BYTES) {
    const next = await rest.next();
    if (next.done) break;
    first.push(next.value);
    length += next.value.length;
  }
  const joined = first.length === 1 ? (first[0] as Buffer) : Buffer.concat(first);
  return { head: joined.subarray(0, SNIFF_BYTES), chunks: prepend(joined, rest, stream) };
}

async function* prepend(first: Buffer, rest: AsyncIterator<Buffer>, stream: Readable): AsyncGenerator<Buffer> {
  try {
    if (first.length > 0) yield first;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    stream.destroy();
  }
}
