import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CsvReader, RECORD_CHARS_MAX, RECORD_LINES_MAX } from './csv.js';

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
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', 'é', ' ') });
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 30 }), (rows, chunk) => {
        const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join('\n');
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

function read(text: string, chunkSize = text.length) {
  const records: Array<[number, readonly string[]]> = [];
  const bad: Array<[number, string]> = [];
  const reader = new CsvReader({
    onRecord: (fields, line) => records.push([line, fields]),
    onBadLine: (line, reason) => bad.push([line, reason]),
  });
  for (let at = 0; at < text.length; at += chunkSize) reader.push(text.slice(at, at + chunkSize));
  reader.end();
  return { records, bad };
}
