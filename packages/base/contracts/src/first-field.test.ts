import { describe, expect, it } from '@jest/globals';
import { encodeMessage, ScoreRecord, toFirstField } from './index.js';

const self = { key: 'anna', strength: 0, subject: Buffer.of() };

describe('toFirstField', () => {
  it.each([
    ['a tick', { $case: 'tick', value: { timeMs: 1 } }, 2],
    ['a join', { $case: 'joined', value: { to: self } }, 4],
    ['a hand-over', { $case: 'handOver', value: { self, from: 'bert', members: [], state: Buffer.of() } }, 5],
  ] satisfies [string, ScoreRecord['record'], number][])(
    'tells %s by the number of its field',
    (_name, record, field) => {
      expect(toFirstField(encodeMessage(ScoreRecord, { record }))).toBe(field);
    },
  );

  it.each([
    ['no value', null],
    ['no bytes', Buffer.alloc(0)],
  ])('is 0 for %s', (_name, value) => {
    expect(toFirstField(value)).toBe(0);
  });
});
