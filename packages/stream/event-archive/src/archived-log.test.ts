import { describe, expect, it } from '@jest/globals';
import { toArchivedLog } from './archived-log.js';
import { parseArchiveName, toArchiveName } from './file-name.js';

const NAME = 'live/event.accepted/day=2026-11-24/p03-000000000000-000000000999.parquet';

describe('names of archived files', () => {
  it('tell namespace, day of append, partition and range', () => {
    const range = { partition: 3, first: 0, last: 999 };
    const appendTimeMs = Date.UTC(2026, 10, 24, 23, 59, 59, 999);
    expect(toArchiveName('live', { ...range, appendTimeMs })).toBe(NAME);
    expect(parseArchiveName('live', NAME)).toEqual({ name: NAME, ...range });
  });

  it('sort past their digits and are read all the same', () => {
    const range = { partition: 123, first: 10 ** 12, last: 10 ** 12 + 5 };
    expect(parseArchiveName('a', toArchiveName('a', { ...range, appendTimeMs: 0 }))).toMatchObject(range);
  });

  it.each([
    ['another namespace', `other/${NAME.slice(5)}`],
    ['a file of somebody else', 'live/event.accepted/day=2026-11-24/notes.txt'],
    ['another folder', NAME.replace('event.accepted', 'feature.updated')],
  ])('pass over %s', (_, name) => {
    expect(parseArchiveName('live', name)).toBeUndefined();
  });

  it('are rejected when the range ends before it begins', () => {
    const name = NAME.replace('000000000000-', '000000001000-');
    expect(() => parseArchiveName('live', name)).toThrow('its last offset is below its first');
  });
});

describe('the archived log of a partition', () => {
  const archived = (...ranges: Array<[number, number]>) => {
    const made = toArchivedLog(ranges.map(([first, last]) => ({ name: `${first}`, partition: 0, first, last })));
    return made && { ...made, files: made.files.map(({ first, last }) => [first, last]) };
  };

  it.each([
    ['nothing', [], undefined],
    ['one', [[0, 9]], { files: [[0, 9]], first: 0, next: 10, gaps: [] }],
    [
      'in any order',
      [
        [10, 19],
        [0, 9],
      ],
      {
        files: [
          [0, 9],
          [10, 19],
        ],
        first: 0,
        next: 20,
        gaps: [],
      },
    ],
    ['begun late', [[7, 9]], { files: [[7, 9]], first: 7, next: 10, gaps: [] }],
    [
      'a gap',
      [
        [0, 9],
        [12, 19],
      ],
      {
        files: [
          [0, 9],
          [12, 19],
        ],
        first: 0,
        next: 20,
        gaps: [{ from: 10, to: 11 }],
      },
    ],
    [
      'overlapping',
      [
        [0, 9],
        [5, 14],
        [10, 19],
      ],
      {
        files: [
          [0, 9],
          [5, 14],
          [10, 19],
        ],
        first: 0,
        next: 20,
        gaps: [],
      },
    ],
    [
      'one within another',
      [
        [0, 9],
        [0, 4],
        [2, 3],
      ],
      { files: [[0, 9]], first: 0, next: 10, gaps: [] },
    ],
  ] as Array<[string, Array<[number, number]>, unknown]>)('%s', (_, ranges, expected) => {
    expect(archived(...ranges)).toEqual(expected);
  });
});
