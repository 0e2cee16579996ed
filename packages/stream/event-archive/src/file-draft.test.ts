import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { createSeededRandom } from '@perennial/kernel';
import { createRecords } from './archive-test-kit.js';
import { FileDraft } from './file-draft.js';

const LIMITS = { windowMs: 10 * 60_000, fileBytesMax: 12_000, rowGroupRows: 50 };
const SEED = Number(process.env.PERENNIAL_TEST_SEED ?? Date.now() % 2 ** 31);

/** The ranges of the files that records are cut into; the last file stays open. */
function cut(records: readonly LogRecord[], from = records[0]?.offset ?? 0): string[] {
  const files: string[] = [];
  let draft: FileDraft | undefined;
  let next = from;
  for (const record of records) {
    if (draft?.endsBefore(record)) {
      const { first, last } = draft.finish().stretch;
      files.push(`${first}-${last}`);
      next = last + 1;
      draft = undefined;
    }
    if (draft === undefined) draft = new FileDraft(record, { ...LIMITS, from: next });
    else draft.add(record);
  }
  return files;
}

describe(`cuts (seed ${SEED})`, () => {
  const records = createRecords(SEED, 500);
  const files = cut(records);

  it('are where a stretch of append time ends, or a file would be too large', () => {
    for (const file of files) {
      const [first = 0, last = 0] = file.split('-').map(Number);
      const window = (offset: number) => Math.floor((records[offset]?.timestampMs ?? 0) / LIMITS.windowMs);
      expect(window(first)).toBe(window(last));
      const bytes = (to: number) =>
        records.slice(first, to + 1).reduce((sum, { key, value, headers }) => {
          const text = Object.entries(headers).flat().join('').length;
          return sum + 300 + (key?.length ?? 0) + (value?.length ?? 0) + text;
        }, 0);
      expect(bytes(last)).toBeLessThanOrEqual(LIMITS.fileBytesMax);
      if (window(last + 1) === window(first)) expect(bytes(last + 1)).toBeGreaterThan(LIMITS.fileBytesMax);
    }
    expect(files.length).toBeGreaterThan(10);
  });

  it('are behind a record that puts a feature spec in force, and no other rollout', () => {
    const at = 7;
    const toRollout = (kind: string) =>
      Buffer.from(
        AcceptedRecord.encode({ record: { $case: 'rollout', value: { kind, number: 2, hash: 'h' } } }).finish(),
      );
    const withRollout = (kind: string) =>
      records.slice(0, 20).map((record) => ({
        ...record,
        timestampMs: 0,
        ...(record.offset === at ? { key: null, value: toRollout(kind) } : {}),
      }));
    expect(cut(withRollout('features'))).toEqual([`0-${at}`]);
    expect(cut(withRollout('policy'))).toEqual([]);
  });

  it('are the same for whoever begins at one', () => {
    files.forEach((file, i) => {
      expect(cut(records.slice(Number(file.split('-')[0])))).toEqual(files.slice(i));
    });
  });

  it('leave no record out', () => {
    let next = 0;
    for (const file of files) {
      const [first, last = 0] = file.split('-').map(Number);
      expect(first).toBe(next);
      next = last + 1;
    }
  });

  it('pass offsets that have no record: files adjoin, and are the same for whoever begins at one', () => {
    const random = createSeededRandom(SEED);
    const sparse = records.filter(() => random() < 0.6);
    const some = cut(sparse, 0);
    let next = 0;
    for (const [i, file] of some.entries()) {
      const [first = 0, last = 0] = file.split('-').map(Number);
      expect(first).toBe(next);
      expect(sparse.some(({ offset }) => offset === last)).toBe(true);
      next = last + 1;
      const rest = sparse.filter(({ offset }) => offset >= first);
      expect(cut(rest, first)).toEqual(some.slice(i));
    }
    expect(some.length).toBeGreaterThan(5);
  });
});
