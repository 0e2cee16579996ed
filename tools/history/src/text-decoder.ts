import { TextDecoder } from 'node:util';
import { AppError } from '@perennial/kernel';

/** Bytes of a file that its encoding is found by. */
export const SNIFF_BYTES = 4096;

/** Encodings that a message names; every other one of the Encoding Standard is read too. */
const ENCODING_EXAMPLES = 'windows-1252, iso-8859-2, windows-1251, gbk, big5, shift_jis';

/** Decodes a file's bytes, chunk by chunk. What is not valid becomes U+FFFD. */
export interface FileDecoder {
  readonly encoding: string;
  decode(chunk: Buffer): string;
  end(): string;
}

const MARKS: ReadonlyArray<{ readonly encoding: string; readonly bytes: readonly number[] }> = [
  { encoding: 'utf-32', bytes: [0xff, 0xfe, 0, 0] },
  { encoding: 'utf-32', bytes: [0, 0, 0xfe, 0xff] },
  { encoding: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', bytes: [0xff, 0xfe] },
  { encoding: 'utf-16be', bytes: [0xfe, 0xff] },
];

/** Files that are often given instead of the CSV made of them. */
const FORMATS: ReadonlyArray<{ readonly what: string; readonly head: string }> = [
  { what: 'a ZIP archive or an Excel workbook (.xlsx)', head: 'PK\x03\x04' },
  { what: 'an old Excel workbook (.xls)', head: '\xd0\xcf\x11\xe0' },
  { what: 'a Parquet file', head: 'PAR1' },
  { what: 'a PDF', head: '%PDF-' },
  { what: 'an SQLite database', head: 'SQLite format 3' },
  { what: 'an Avro file', head: 'Obj\x01' },
  { what: 'compressed with Zstandard', head: '\x28\xb5\x2f\xfd' },
  { what: 'compressed with bzip2', head: 'BZh' },
  { what: 'compressed with xz', head: '\xfd7zXZ' },
];

/**
 * The decoder for a file that begins with `head`: the encoding given, else that of its byte order mark, else UTF-16
 * where every other byte is zero, else UTF-8. Throws `config_invalid` for an unknown encoding and for what is no text.
 */
export function createFileDecoder(head: Buffer, given: string | undefined): FileDecoder {
  rejectOtherFormats(head);
  const mark = MARKS.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte))?.encoding;
  if (mark === 'utf-32') throw new AppError('config_invalid', 'it is UTF-32: save it as UTF-8');
  const named = given === undefined ? undefined : createDecoder(given);
  if (named !== undefined && mark !== undefined && named.encoding !== mark) {
    const message = `--encoding is ${named.encoding}, but the file begins with the byte order mark of ${mark}`;
    throw new AppError('config_invalid', message);
  }
  const decoder = named ?? createDecoder(mark ?? findUtf16(head) ?? 'utf-8');
  if (decoder.encoding.startsWith('utf-16') || !head.includes(0)) return toFileDecoder(decoder);
  throw new AppError('config_invalid', `it is not text: byte ${head.indexOf(0)} is zero`);
}

function toFileDecoder(decoder: TextDecoder): FileDecoder {
  return {
    encoding: decoder.encoding,
    decode: (chunk) => decoder.decode(chunk, { stream: true }),
    end: () => decoder.decode(),
  };
}

function createDecoder(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch (error) {
    const message = `there is no encoding ${JSON.stringify(label)}; those often met are utf-8, utf-16le, ${ENCODING_EXAMPLES}`;
    throw new AppError('config_invalid', message, { cause: error });
  }
}

/** UTF-16 without a mark: texts of tables are mostly ASCII, of which one byte in two is then zero. */
function findUtf16(head: Buffer): string | undefined {
  let even = 0;
  let odd = 0;
  for (const [index, byte] of head.entries()) {
    if (byte !== 0) continue;
    if (index % 2 === 0) even++;
    else odd++;
  }
  if (odd > head.length / 6 && even < odd / 8) return 'utf-16le';
  return even > head.length / 6 && odd < even / 8 ? 'utf-16be' : undefined;
}

function rejectOtherFormats(head: Buffer): void {
  const text = head.toString('latin1', 0, 16);
  const format = FORMATS.find((known) => text.startsWith(known.head));
  if (format !== undefined)
    throw new AppError('config_invalid', `it is ${format.what}, not CSV: save it as CSV (UTF-8)`);
}
