import type { ByteReader, ByteWriter } from './bytes.js';
import type { IdMemory } from './id-memory.js';
import { readHashes, writeHashes } from './stamped-hashes-codec.js';

/** Ids with their stamps as distances from `newest`, then the number of those dropped. */
export function writeMemory(writer: ByteWriter, { ids, dropped }: IdMemory, newest: number): void {
  writeHashes(writer, ids, newest);
  writer.varint(dropped);
}

export function readMemory(reader: ByteReader, newest: number): IdMemory {
  return { ids: readHashes(reader, newest), dropped: reader.varint() };
}
