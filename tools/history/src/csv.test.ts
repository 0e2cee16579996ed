import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { CsvReader, RECORD_CHARS_MAX, RECORD_LINES_MAX } from './csv.js';
import { splitRecord } from './split-record.js';

describe('CsvReader', () => {
  it('splits plain lines, whatever their ends', () => {
    expect(read('a,b\r\n1,2\n\n3,4').records).toEqual([
      [1, ['a', 'b']],
      [2, ['1', '2']],
      [4, ['3', '4']],
    ]);
  });

  it('reads quoted fields with commas, quotes and line ends', () => {
    expect(read('1,"a,b"\n2,"say ""hi""\nthere"\n3,x\n').records).toEqual([
      [1, ['1', 'a,b']],
      [2, ['2', 'say "hi"\nthere']],
      [4, ['3', 'x']],
    ]);
  });

  it('splits lines that end in any way, in one text too', () => {
    expect(read('a,b\r1,2\n3,4\r\n5,6\r\r7,8\r', 1).records).toEqual([
      [1, ['a', 'b']],
      [2, ['1', '2']],
      [3, ['3', '4']],
      [4, ['5', '6']],
      [6, ['7', '8']],
    ]);
  });

  it('takes the separator that Excel names, and blanks around quotes', () => {
    expect(read('sep=;\na;b\n"1,5" ; "x"\n').records).toEqual([
      [2, ['a', 'b']],
      [3, ['1,5', 'x']],
    ]);
  });

  it('agrees with csv-parse on every record of one line', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ';', '"', ' ', '\t'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(text, (line) => {
        const own = splitRecord(line, ';');
        const other = parseStrictly(line);
        // Blanks around quotes are the one liberty taken.
        if (other !== undefined || own === undefined) expect(own).toEqual(other);
        else expect(line).toMatch(/[ \t]"|"[ \t]/);
      }),
      { numRuns: 1000 },
    );
  });

  it('reports a line with a stray quote and loses no other', () => {
    const { records, bad } = read('1,a\n2,5" disk\n3,b\n4,x"y"\n5,c\n');
    expect(records.map(([line]) => line)).toEqual([1, 3, 5]);
    expect(bad.map(([line]) => line)).toEqual([2, 4]);
  });

  it('recovers from a quote that never closes', () => {
    const lines = Array.from({ length: 3 * RECORD_LINES_MAX }, (_, n) => `${n + 2},b`);
    const { records, bad } = read(['1,"open', ...lines].join('\n'));
    expect(bad.map(([line]) => line)).toEqual([1]);
    expect(records).toHaveLength(lines.length);
    expect(records.every(([line, fields]) => String(line) === fields[0])).toBe(true);
  });

  it('drops a line without end, and reads on', () => {
    const { records, bad } = read(`1,a\n${'x'.repeat(RECORD_CHARS_MAX + 10)}\n3,b\n`, 1 << 16);
    expect(records.map(([line]) => line)).toEqual([1, 3]);
    expect(bad).toEqual([[2, `is longer than ${RECORD_CHARS_MAX} characters`]]);
  });

  it('reads what was written, in chunks of any size', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'é', ' ') });
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 30 }), fc.constantFrom('\n', '\r\n', '\r'), (rows, chunk, end) => {
        const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join(end);
        expect(read(text, chunk).records.map(([, fields]) => fields)).toEqual(rows);
      }),
    );
  });

  it('accounts for every line of any text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', ',', '"'), minLength: 1 })), (lines) => {
        const { records, bad } = read(lines.join('\n'), 7);
        const seen = [
          ...bad.map(([line]) => line),
          ...records.flatMap(([line, fields]) =>
            fields
              .join(',')
              .split('\n')
              .map((_, more) => line + more),
          ),
        ];
        expect(seen.sort((a, b) => a - b)).toEqual(lines.map((_, index) => index + 1));
      }),
    );
  });
});

function parseStrictly(line: string): string[] | undefined {
  try {
    return parse(line, { delimiter: ';', relax_column_count: true })[0];
  } catch {
    return undefined;
  }
}

function read(text: string, chunkSize = text.length) {
  const records: Array<[number, readonly string[]]> = [];
  const bad: Array<[number, string]> = [];
  const reader = new CsvReader({
    toSeparator: () => ',',
    onRecord: (fields, line) => records.push([line, fields]),
    onBadLine: (line, reason) => bad.push([line, reason]),
  });
  for (let at = 0; at < text.length; at += chunkSize) reader.push(text.slice(at, at + chunkSize));
  reader.end();
  return { records, bad };
}
