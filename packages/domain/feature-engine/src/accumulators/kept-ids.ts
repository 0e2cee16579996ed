import { type ByteReader, type ByteWriter, damaged } from '../bytes.js';
import { type Hash64, toHash64, toHashDigits } from '../hash.js';

/** Maximum bytes of an id that is kept as text. */
export const ID_BYTES_MAX = 64;

/** Characters of an id so short that its UTF-8 is within the limit. */
const ID_CHARS_SHORT = 21;

/** First characters that a longer id keeps, 4 bytes each at most. The rest becomes its hash. */
const HEAD_CHARS = 11;

/** How often an id occurred. The hash gives the order: as good as random, and the same everywhere. */
export interface Cell {
  readonly id: string;
  readonly hash: Hash64;
  readonly count: number;
}

/** The ids of one event, each once with its number of occurrences, in order. */
export function toCells(ids: readonly string[]): readonly Cell[] {
  const counts = new Map<string, number>();
  for (const id of ids) {
    const kept = toKeptId(id);
    counts.set(kept, (counts.get(kept) ?? 0) + 1);
  }
  const cells = [...counts].map(([id, count]): Cell => ({ id, hash: toHash64(id), count }));
  return cells.length === 1 ? cells : cells.sort(compareCells);
}

function compareCells(a: Cell, b: Cell): number {
  return a.hash.high - b.hash.high || a.hash.low - b.hash.low || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Both lists as one; the counts of an id in both are added up. */
export function uniteCells(a: readonly Cell[], b: readonly Cell[]): readonly Cell[] {
  const united: Cell[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    const order = left === undefined ? 1 : right === undefined ? -1 : compareCells(left, right);
    if (order === 0 && left !== undefined) united.push({ ...left, count: left.count + (right?.count ?? 0) });
    else united.push((order < 0 ? left : right) as Cell);
    if (order <= 0) i += 1;
    if (order >= 0) j += 1;
  }
  return united;
}

/** An id as it is kept: text that UTF-8 gives back, of bounded length. Two that are long differ in the hash at their end. */
function toKeptId(id: string): string {
  const text = /[\ud800-\udfff]/.test(id) ? Buffer.from(id).toString() : id;
  if (text.length <= ID_CHARS_SHORT || Buffer.byteLength(text) <= ID_BYTES_MAX) return text;
  return `${Array.from(text).slice(0, HEAD_CHARS).join('')}…${toHashDigits(text)}`;
}

/** Writes cells; an id's text stands where it first occurs. */
export function createCellWriter(writer: ByteWriter): (cells: readonly Cell[]) => void {
  const known = new Map<string, number>();
  return (cells) => {
    writer.varint(cells.length);
    for (const { id, count } of cells) {
      const place = known.get(id);
      writer.varint(place ?? 0);
      if (place === undefined) {
        const bytes = Buffer.from(id);
        writer.varint(bytes.length);
        writer.raw(bytes);
        known.set(id, known.size + 1);
      }
      writer.varint(count);
    }
  };
}

/** Reads what a cell writer wrote; throws `contract_violation` for damaged bytes. */
export function createCellReader(reader: ByteReader): () => readonly Cell[] {
  const known: Array<Pick<Cell, 'id' | 'hash'>> = [];
  return () => {
    const cells: Cell[] = [];
    for (let left = reader.count(2); left > 0; left -= 1) {
      const place = reader.varint();
      if (place === 0) known.push(readId(reader));
      const id = known[(place === 0 ? known.length : place) - 1];
      if (id === undefined) throw damaged('an id is not there');
      cells.push({ ...id, count: reader.varint() });
    }
    return cells;
  };
}

function readId(reader: ByteReader): Pick<Cell, 'id' | 'hash'> {
  const length = reader.varint();
  if (length > ID_BYTES_MAX) throw damaged('an id is too long');
  const bytes = reader.raw(length);
  const id = bytes.toString();
  if (!Buffer.from(id).equals(bytes)) throw damaged('an id is no text');
  return { id, hash: toHash64(id) };
}
