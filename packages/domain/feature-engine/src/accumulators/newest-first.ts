import { type ByteReader, type ByteWriter, damaged } from '../bytes.js';

/** A list of whole numbers, ascending in memory, that is encoded from its greatest to its least. */
export interface NumberList {
  /** What one of them is, for errors: a day, a time. */
  readonly noun: string;
  /** Least distance between two of them. */
  readonly apart: 0 | 1;
  readonly lengthMax: number;
}

/** Each number as its distance from the greatest that it could be; `newest` is the greatest of all. */
export function writeNewestFirst(
  writer: ByteWriter,
  numbers: readonly number[],
  { newest, apart }: Pick<NumberList, 'apart'> & { readonly newest: number },
): void {
  writer.varint(numbers.length);
  let expected = newest;
  for (let place = numbers.length - 1; place >= 0; place -= 1) {
    const number = numbers[place] as number;
    writer.varint(expected - number);
    expected = number - apart;
  }
}

/** Throws `contract_violation` for damaged bytes. */
export function readNewestFirst(
  reader: ByteReader,
  { newest, noun, apart, lengthMax }: NumberList & { readonly newest: number },
): number[] {
  const numbers: number[] = [];
  let expected = newest;
  for (let left = reader.count(1); left > 0; left -= 1) {
    const number = expected - reader.varint();
    if (!Number.isSafeInteger(number)) throw damaged(`a ${noun} is too early`);
    numbers.push(number);
    expected = number - apart;
  }
  if (numbers.length > lengthMax) throw damaged(`more ${noun}s than are kept`);
  return numbers.reverse();
}
