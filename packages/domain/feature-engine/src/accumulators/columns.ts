import type { ByteReader, ByteWriter } from '../bytes.js';

/** Columns whose encodings share one varint: two bits each. */
const COLUMNS_PER_HEAD = 16;

/** Encoding of a number. Most numbers are 0 or 1, and so need no byte of their own. */
const KIND = { zero: 0, one: 1, positive: 2, negative: 3 } as const;

/** Writes the whole numbers of `row` from `from` on. Heads are even: an odd number before them is distinguishable. */
export function writeColumns(writer: ByteWriter, row: readonly number[], from: number): void {
  for (let start = from; start < row.length; start += COLUMNS_PER_HEAD) {
    const end = Math.min(row.length, start + COLUMNS_PER_HEAD);
    let head = 0;
    let isBare = true;
    for (let at = start, scale = 2; at < end; at += 1, scale *= 4) {
      const value = row[at] as number;
      if (value === 0) continue;
      if (value === 1) head += scale;
      else {
        head += scale * (value < 0 ? KIND.negative : KIND.positive);
        isBare = false;
      }
    }
    writer.varint(head);
    if (isBare) continue;
    for (let at = start; at < end; at += 1) {
      const value = row[at] as number;
      if (value > 1 || value < 0) writer.varint(Math.abs(value));
    }
  }
}

/** Reads into `row` from `from` on what `writeColumns` wrote; `head` is the preceding `reader.varint()`. */
export function readColumns(reader: ByteReader, row: number[], { head, from }: { head: number; from: number }): void {
  let kinds = head / 2;
  for (let at = from; at < row.length; at += 1) {
    if (at > from && (at - from) % COLUMNS_PER_HEAD === 0) kinds = Math.floor(reader.varint() / 2);
    const kind = kinds % 4;
    if (kind !== KIND.zero) row[at] = kind === KIND.one ? 1 : readMagnitude(reader, kind);
    kinds = (kinds - kind) / 4;
  }
}

/** For each column of `to` its index in `from`; -1 for a column that is not there. */
export function mapColumns(from: readonly string[], to: readonly string[]): number[] {
  return to.map((column) => from.indexOf(column));
}

/** True when both have the same columns in the same order. */
export function areSameColumns(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((column, index) => column === b[index]);
}

function readMagnitude(reader: ByteReader, kind: number): number {
  const magnitude = reader.varint();
  return kind === KIND.positive || magnitude === 0 ? magnitude : -magnitude;
}
