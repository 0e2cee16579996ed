import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { AppError } from '@perennial/kernel';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;

/** Extracts one file from a zip (or jar), so that no `unzip` is needed. Throws `not_found` when it is not there. */
export function readZipEntry(zipPath: string, name: string): Buffer {
  const zip = readFileSync(zipPath);
  const end = findEndRecord(zip, zipPath);
  let at = zip.readUInt32LE(end + 16);
  for (let i = zip.readUInt16LE(end + 10); i > 0 && zip.readUInt32LE(at) === ENTRY_SIGNATURE; i--) {
    const nameLength = zip.readUInt16LE(at + 28);
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === name) return inflateEntry(zip, at, zipPath);
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new AppError('not_found', `${zipPath} has no entry ${name}`);
}

function findEndRecord(zip: Buffer, zipPath: string): number {
  for (let at = zip.length - END_BYTES; at >= Math.max(0, zip.length - END_BYTES - COMMENT_BYTES_MAX); at--) {
    if (zip.readUInt32LE(at) === END_SIGNATURE) return at;
  }
  throw new AppError('contract_violation', `${zipPath} is not a zip file`);
}

function inflateEntry(zip: Buffer, at: number, zipPath: string): Buffer {
  const method = zip.readUInt16LE(at + 10);
  const compressedBytes = zip.readUInt32LE(at + 20);
  const bytes = zip.readUInt32LE(at + 24);
  const local = zip.readUInt32LE(at + 42);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const data = zip.subarray(start, start + compressedBytes);
  const content = method === 0 ? Buffer.from(data) : inflateRawSync(data);
  if (content.length !== bytes)
    throw new AppError('contract_violation', `${zipPath}: an entry is ${content.length} bytes long, not ${bytes}`);
  return content;
}
