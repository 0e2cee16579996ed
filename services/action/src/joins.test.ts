import { describe, expect, it } from '@jest/globals';
import { type HandOver, type ProfileRef, ScoreRecord } from '@perennial/contracts';
import { toParts } from '@perennial/identity';
import { must } from '@perennial/kernel';
import type { StepItem } from '@perennial/keyed-processor';
import { EMPTY_HISTORY } from '@perennial/policy';
import { type ActionState, actionStates, toTimerAtMs } from './domain/action-state.js';
import type { ActionEvidence } from './evidence.js';
import { withJoins } from './joins.js';
import type { ActionProcessor } from './processor.js';

const NOON = Date.UTC(2024, 4, 15, 12);
const EVIDENCE = { inForce: undefined, manifest: undefined } as ActionEvidence;
const prepared: number[] = [];

/** Decides nothing, and shows what it was asked for. */
const profiles = {
  name: 'action',
  inputTopic: 'scores',
  sources: [{ processor: 'scoring', topic: 'features' }],
  codec: { ...actionStates, timerAtMs: toTimerAtMs },
  decode: () => ({ kind: 'tick', timeMs: NOON }),
  prepare: async (items: readonly unknown[]) => {
    prepared.push(items.length);
    return items.map(() => EVIDENCE);
  },
  step: ({ state }: StepItem<ActionState, unknown>) => ({ state, outputs: [{ topic: 'decided', value: Buffer.of() }] }),
} as unknown as ActionProcessor;
const definition = withJoins(profiles, () => []);

const toRef = (key: string): ProfileRef => ({ key, strength: 240, subject: Buffer.from(`sealed ${key}`) });
const anna = toRef('anna');
const bert = toRef('bert');

const pending = {
  strategy: 'later',
  causeId: 'score:1',
  event: undefined,
  causedAtMs: NOON,
  dueAtMs: NOON + 9,
  expiresAtMs: NOON + 99,
  reasons: [],
};

function toState(key: string, days: readonly number[], history: Partial<ActionState['history']> = {}): ActionState {
  const contacts = days.map((day) => ({ atMs: NOON + day, channel: 'push' }));
  const known = { stage: 'new', subject: toRef(key).subject, timeZone: 'Asia/Tokyo', modelHash: '', facts: undefined };
  return { history: { ...EMPTY_HISTORY, contacts, ...history }, ...known };
}

/** States and records by key, in order; all states and records go through their bytes. */
class World {
  readonly #states = new Map<string, Buffer>();
  readonly sent: string[] = [];

  constructor(states: Record<string, ActionState>) {
    for (const [key, state] of Object.entries(states)) this.#states.set(key, definition.codec.encode(state));
  }

  read(key: string) {
    const bytes = this.#states.get(key);
    return toParts(bytes && definition.codec.decode(bytes));
  }

  join(key: string, to: ProfileRef): void {
    this.#process(key, encode({ $case: 'joined', value: { to } }));
  }

  #process(key: string, value: Buffer): void {
    const decoded = definition.decode({ key: Buffer.from(key), value } as Parameters<typeof definition.decode>[0]);
    if (decoded.kind !== 'record') throw new Error('no record of a profile');
    const bytes = this.#states.get(key);
    const context = { key, partition: 0, offset: 0, ordinal: 0, logTimeMs: NOON, inForce: new Map() };
    const cause = { kind: 'record' as const, input: decoded.input };
    const result = definition.step({ state: bytes && definition.codec.decode(bytes), cause, context }, undefined);
    if (result.state !== undefined) this.#states.set(key, definition.codec.encode(result.state));
    for (const output of result.outputs) {
      expect([output.topic, output.partition]).toEqual(['scores', 'by-key']);
      this.sent.push(`${key} to ${output.key}`);
      this.#process(must(output.key, 'a key'), output.value);
    }
  }
}

function encode(record: ScoreRecord['record']): Buffer {
  return Buffer.from(ScoreRecord.encode({ record }).finish());
}

describe('a profile that has joined another one', () => {
  it('hands its contacts over, so that caps and cooldowns hold for the person', () => {
    const world = new World({
      device: toState('device', [1, 3], { lastUsedAtMs: { a: 5, b: 1 } }),
      anna: toState('anna', [2], { lastUsedAtMs: { a: 4, c: 2 }, pending: [pending] }),
    });
    world.join('device', anna);
    expect(world.read('device')).toMatchObject({ node: { kind: 'forwarder', to: anna } });
    expect(world.read('anna').profile).toMatchObject({
      subject: anna.subject,
      history: {
        contacts: [1, 2, 3].map((day) => ({ atMs: NOON + day, channel: 'push' })),
        lastUsedAtMs: { a: 5, b: 1, c: 2 },
        pending: [pending],
      },
    });
  });

  it('hands over its grants and keeps none, so that each is spent once, and events by their last time', () => {
    const signals = (wechat: number, refund: number) => ({ grants: { wechat }, eventsAtMs: { Refund: refund } });
    const world = new World({
      device: toState('device', [1], { signals: signals(2, 5) }),
      anna: toState('anna', [2], { signals: signals(1, 4) }),
    });
    world.join('device', anna);
    expect(world.read('anna').profile?.history.signals).toEqual(signals(3, 5));
    expect(world.read('device').profile?.history.signals).toEqual({ grants: {}, eventsAtMs: { Refund: 5 } });
  });

  it('drops what waited for it: it is addressed no more', () => {
    const world = new World({ device: toState('device', [1], { pending: [pending] }) });
    world.join('device', anna);
    const { profile } = world.read('anna');
    expect(profile).toMatchObject({ subject: anna.subject, history: { pending: [] } });
    expect(definition.codec.timerAtMs(must(profile, 'a profile'))).toBeUndefined();
  });

  it('has nothing to hand over without contacts', () => {
    const world = new World({});
    world.join('device', anna);
    expect([world.sent, world.read('anna').profile]).toEqual([[], undefined]);
  });

  it('forwards what comes for it later, whichever join is first', () => {
    const states = { device: toState('device', [1]), bert: toState('bert', [2]), anna: toState('anna', [3]) };
    const [first, second] = [new World(states), new World(states)];
    first.join('device', bert);
    first.join('bert', anna);
    second.join('bert', anna);
    second.join('device', bert);
    expect(second.sent).toEqual(['bert to anna', 'device to bert', 'bert to anna']);
    expect(second.read('anna')).toEqual(first.read('anna'));
    expect(first.read('anna').profile?.history.contacts).toHaveLength(3);
  });

  it('has nothing to do until it is parted, and goes on with the contacts that it had', () => {
    const world = new World({
      device: toState('device', [1, 3], { pending: [pending] }),
      anna: toState('anna', [2]),
    });
    world.join('device', anna);
    const { node, profile } = world.read('device');
    const joined = { node, profile };
    expect(definition.codec.timerAtMs(joined)).toBeUndefined();
    const context = { key: 'device', partition: 0, offset: 0, ordinal: 0, logTimeMs: NOON, inForce: new Map() };
    const cause = { kind: 'record' as const, input: {} as never };
    const { state, outputs } = definition.step({ state: joined, cause, context }, EVIDENCE);
    expect(outputs).toHaveLength(1);
    expect(toParts(state)).toMatchObject({
      node: { kind: 'root' },
      profile: { history: { contacts: [{ atMs: NOON + 1 }, { atMs: NOON + 3 }], pending: [] } },
    });
    // The other one keeps them too.
    expect(world.read('anna').profile?.history.contacts).toHaveLength(3);
  });

  it('gets evidence of its own for what is handed over, and shifts nobody else in the batch', async () => {
    const handOver: HandOver = { self: anna, from: 'device', members: [], state: Buffer.of() };
    const context = { key: 'anna', partition: 0, offset: 0, ordinal: 0, logTimeMs: NOON, inForce: new Map() };
    const timer = { state: undefined, cause: { kind: 'timer' as const, dueAtMs: 1 }, context };
    const join = { state: undefined, cause: { kind: 'record' as const, input: { handOver } }, context };
    const left = { ...join, cause: { kind: 'record' as const, input: { joined: { to: anna } } } };
    const evidence = await must(definition.prepare, 'it prepares')([left, join, timer]);
    expect([evidence, prepared]).toEqual([[undefined, EVIDENCE, EVIDENCE], [2]]);
    expect(() => definition.step(join, undefined)).toThrow('action state of no bytes');
  });

  it('hands over from any partition', () => {
    expect(definition.sources).toContainEqual({ processor: 'action', topic: 'scores', partition: 'any' });
  });
});
