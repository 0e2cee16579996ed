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
        event: fc.option(fc.record({ type: text, name: text }), { nil: undefined }),
      }),
      { maxLength: 3 },
    ),
  }),
  facts: fc.option(
    fc.record({
      asOfMs: time,
      values: fc.array(fc.oneof(fc.nat(), fc.constant(Number.NaN), fc.constant(0.1)), { maxLength: 18 }),
      stageSinceMs: time,
      lastEventAtMs: time,
      scores: fc.option(fc.record({ purchase: time, churn: time, expectedSpend: time }), { nil: undefined }),
    }),
    { nil: undefined },
  ),
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

  it.each(['[1]', '[3]', '{}', 'null', '', 'x'])('is not made of %j', (bytes) => {
    expect(() => decodeActionState(Buffer.from(bytes))).toThrow();
  });

  it('is refused in another version, which it names', () => {
    expect(() => decodeActionState(Buffer.from('[3]'))).toThrow('of version 3; this release reads version 2');
  });
});
