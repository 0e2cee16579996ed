import { describe, expect, it } from '@jest/globals';
import { describeStateFormat } from '@perennial/contracts/contract-suite';
import fc from 'fast-check';
import { type ActionState, actionStates, toTimerAtMs } from './action-state.js';

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
      specHash: text,
      values: fc.array(fc.oneof(fc.nat(), fc.constant(Number.NaN), fc.constant(0.1)), { maxLength: 18 }),
      attributes: fc.array(fc.oneof(text, time, fc.boolean(), fc.constant(null)), { maxLength: 4 }),
      stageSinceMs: time,
      lastEventAtMs: time,
      scores: fc.option(fc.array(time, { minLength: 1, maxLength: 5 }), { nil: undefined }),
      segments: fc.option(fc.array(text, { maxLength: 5 }), { nil: undefined }),
    }),
    { nil: undefined },
  ),
});

/** As written by releases that put no version before the JSON. */
function encodeSecondVersion(before: ActionState): Buffer {
  const stored = JSON.parse(actionStates.encode(before).toString('utf8', 1)) as unknown[];
  return Buffer.from(JSON.stringify([2, ...stored]));
}

/** As written by releases whose models had three heads. */
function encodeThirdVersion(before: ActionState): Buffer {
  return Buffer.concat([Buffer.of(3), actionStates.encode(before).subarray(1)]);
}

function withoutScores(before: ActionState): ActionState {
  return before.facts === undefined ? before : { ...before, facts: { ...before.facts, scores: undefined } };
}

describeStateFormat({
  name: 'action',
  format: actionStates,
  state,
  earlier: [
    { version: 2, encode: encodeSecondVersion, upgrade: withoutScores },
    { version: 3, encode: encodeThirdVersion, upgrade: withoutScores },
  ],
});

describe('the state of action', () => {
  it('wakes when the first of what waits is due', () => {
    fc.assert(fc.property(state, (any) => expect(toTimerAtMs(any)).toBe(any.history.pending[0]?.dueAtMs)));
  });

  it.each(['[1]', '[3]', '{}', 'null', '', 'x', '\u0003', '\u0003null'])('is not made of %j', (bytes) => {
    expect(() => actionStates.decode(Buffer.from(bytes))).toThrow('action state');
  });
});
