import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ActionState, decodeActionState, encodeActionState, toTimerAtMs } from './action-state.js';

const text = fc.string({ maxLength: 12 });
const time = fc.nat();
const state: fc.Arbitrary<ActionState> = fc.record({
  stage: text,
  subject: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  timeZone: text,
  modelHash: text,
  history: fc.record({
    contacts: fc.array(fc.record({ atMs: time, channel: text }), { maxLength: 5 }),
    lastUsedAtMs: fc.dictionary(text, time, { maxKeys: 4, noNullPrototype: true }),
    pending: fc.array(
      fc.record({
        strategy: text,
        causeId: text,
        causedAtMs: time,
        dueAtMs: time,
        expiresAtMs: time,
        reasons: fc.array(text, { maxLength: 3 }),
      }),
      { maxLength: 3 },
    ),
  }),
});

describe('the state of action', () => {
  it('comes back from its bytes as it was, with its timer', () => {
    fc.assert(
      fc.property(state, (before) => {
        const after = decodeActionState(encodeActionState(before));
        expect(after).toEqual(before);
        expect(toTimerAtMs(after)).toBe(before.history.pending[0]?.dueAtMs);
      }),
    );
  });

  it.each(['[2]', '{}', 'null', '', 'x'])('is not made of %j', (bytes) => {
    expect(() => decodeActionState(Buffer.from(bytes))).toThrow();
  });
});
