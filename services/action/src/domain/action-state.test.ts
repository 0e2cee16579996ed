import { describe, expect, it } from '@jest/globals';
import { describeStateFormat } from '@perennial/contracts/contract-suite';
import fc from 'fast-check';
import { type ActionState, actionStates, toTimerAtMs } from './action-state.js';

const text = fc.string({ maxLength: 12 });
const time = fc.nat();
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const times = fc.dictionary(text, time, { maxKeys: 4, noNullPrototype: true });
const lives = fc.array(
  fc.record({
    actionId: text,
    strategy: text,
    channel: text,
    decidedAtMs: time,
    expiresAtMs: time,
    outcomes: fc.nat({ max: 8191 }),
  }),
  { maxLength: 3 },
);
const permissions = fc.record({
  contact: fc.array(fc.record({ channel: text, topic: text, state: text, atMs: time }), { maxLength: 3 }),
  purposes: fc.array(fc.record({ purpose: text, granted: fc.boolean(), atMs: time }), { maxLength: 3 }),
  obstacles: fc.array(
    fc.record({ channel: text, kind: fc.constantFrom('bounced' as const, 'complained' as const), atMs: time }),
    { maxLength: 3 },
  ),
});
const state: fc.Arbitrary<ActionState> = fc.record({
  lives: maybe(lives),
  permissions: maybe(permissions),
  stage: text,
  subject: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  timeZone: text,
  modelHash: text,
  history: fc.record({
    contacts: fc.array(fc.record({ atMs: time, channel: text, strategy: maybe(text), category: maybe(text) }), {
      maxLength: 5,
    }),
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
        option: maybe(fc.record({ name: text, propensity: fc.constantFrom(1, 1 / 3, 0.125) })),
      }),
      { maxLength: 3 },
    ),
    signals: maybe(fc.record({ eventsAtMs: times, grants: times })),
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

/** As written by releases that kept of a contact only when and where it was. */
function encodeFifthVersion(before: ActionState): Buffer {
  const stored = toStored(before);
  return Buffer.from(`\u0005${JSON.stringify(stored)}`);
}

function toStored(before: ActionState): unknown[] {
  const stored = JSON.parse(actionStates.encode(before).toString('utf8', 1)) as unknown[];
  return stored.slice(0, 8).with(
    4,
    (stored[4] as unknown[][]).map((contact) => contact.slice(0, 2)),
  );
}

/** As written by releases that put no version before the JSON. */
function encodeSecondVersion(before: ActionState): Buffer {
  return Buffer.from(JSON.stringify([2, ...toStored(before)]));
}

/** As written by releases whose models had three heads. */
function encodeThirdVersion(before: ActionState): Buffer {
  return Buffer.concat([Buffer.of(3), encodeFifthVersion(before).subarray(1)]);
}

function withoutSignals(before: ActionState): ActionState {
  const { signals, ...history } = before.history;
  const contacts = history.contacts.map(({ atMs, channel }) => ({ atMs, channel }));
  return { ...before, history: { ...history, contacts }, lives: undefined, permissions: undefined };
}

function withoutScores(before: ActionState): ActionState {
  const { facts, ...after } = withoutSignals(before);
  return { ...after, facts: facts && { ...facts, scores: undefined } };
}

describeStateFormat({
  name: 'action',
  format: actionStates,
  state,
  earlier: [
    { version: 2, encode: encodeSecondVersion, upgrade: withoutScores },
    { version: 5, encode: encodeFifthVersion, upgrade: withoutSignals },
    { version: 3, encode: encodeThirdVersion, upgrade: withoutScores },
  ],
});

describe('the state of action', () => {
  it('wakes when the first of what waits is due', () => {
    fc.assert(fc.property(state, (any) => expect(toTimerAtMs(any)).toBe(any.history.pending[0]?.dueAtMs)));
  });

  it.each(['[1]', '[3]', '{}', 'null', '', 'x', '\u0003', '\u0003null', '\u0006null'])('is not made of %j', (bytes) => {
    expect(() => actionStates.decode(Buffer.from(bytes))).toThrow('action state');
  });
});
