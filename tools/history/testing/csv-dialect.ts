import { gzipSync } from 'node:zlib';
import { encodeText } from './encode-text.js';

/** One way to write a table of texts as CSV. */
export interface CsvDialect {
  readonly encoding: string;
  readonly hasMark: boolean;
  readonly separator: string;
  /** Ends of lines, used in turn. */
  readonly lineEnds: readonly string[];
  readonly endsLastLine: boolean;
  readonly quotes: 'needed' | 'all' | 'blanks around';
  readonly decimal: '.' | ',';
  /** Before each three digits; empty for none. */
  readonly thousands: string;
  readonly hasExcelLine: boolean;
  readonly isZipped: boolean;
}

const ENCODINGS = [
  'utf-8',
  'utf-8',
  'utf-16le',
  'utf-16be',
  'windows-1252',
  'windows-1251',
  'gbk',
  'shift_jis',
] as const;

/** A dialect from uniform numbers in [0, 1): the same numbers give the same dialect. */
export function drawDialect(random: () => number): CsvDialect {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const decimal = pick(['.', '.', ','] as const);
  const separator = pick(decimal === ',' ? [';', ';', '\t', '|', ','] : [',', ';', '\t', '|']);
  return {
    encoding: pick(ENCODINGS),
    hasMark: random() < 0.5,
    separator,
    lineEnds: pick([['\n'], ['\r\n'], ['\r'], ['\n', '\r\n', '\r']]),
    endsLastLine: random() < 0.5,
    quotes: pick(['needed', 'all', 'blanks around']),
    decimal,
    thousands: pick(['', '', decimal === ',' ? '.' : ',', '\u00A0']),
    hasExcelLine: random() < 0.1,
    isZipped: random() < 0.2,
  };
}

/** A number as the dialect writes it. */
export function writeNumber(value: number, { decimal, thousands }: CsvDialect): string {
  const [whole = '', decimals] = Math.abs(value).toString().split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, thousands);
  return `${value < 0 ? '-' : ''}${grouped}${decimals === undefined ? '' : decimal + decimals}`;
}

/** The bytes of a table, undefined where the encoding lacks a character of it. */
export function writeCsv(rows: ReadonlyArray<readonly string[]>, dialect: CsvDialect): Buffer | undefined {
  const lines = rows.map((row) => row.map((field) => quote(field, dialect)).join(dialect.separator));
  if (dialect.hasExcelLine) lines.unshift(`sep=${dialect.separator}`);
  const ends = lines.map((_, index) =>
    index === lines.length - 1 && !dialect.endsLastLine ? '' : dialect.lineEnds[index % dialect.lineEnds.length],
  );
  const text = lines.map((line, index) => `${line}${ends[index]}`).join('');
  const mark = dialect.hasMark && dialect.encoding.startsWith('utf') ? '\uFEFF' : '';
  const bytes = encodeText(mark + text, dialect.encoding);
  return bytes !== undefined && dialect.isZipped ? gzipSync(bytes) : bytes;
}

function quote(field: string, { quotes, separator, lineEnds }: CsvDialect): string {
  const isNeeded = field.includes(separator) || /["\r\n]/.test(field) || field !== field.trim();
  if (quotes === 'needed' && !isNeeded) return field;
  const quoted = `"${field.replaceAll('"', '""')}"`;
  return quotes === 'blanks around' && separator !== ' ' && lineEnds.length === 1 ? ` ${quoted} ` : quoted;
}
