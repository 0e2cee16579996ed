import { describe, expect, it } from '@jest/globals';
import {
  createStoredStates,
  ID_STRENGTHS,
  MEMBERS_MAX,
  type ProfileNode,
  type ProfileRef,
  type SentRecord,
  takeEvent,
  takeHandOver,
  takeJoin,
  takeLink,
} from './index.js';

const STORM = 100_000;
const SUBJECT = Buffer.alloc(45);
/** Keys of 22 characters in an order of their own, as pseudonyms are. */
const toKey = (name: string, number: number) =>
  `${((number + 1) * 2_654_435_761) % 2 ** 32}`.padStart(10, '0') + name.padEnd(12, '-');
const toUser = (name: string, number: number): ProfileRef => ({
  key: toKey(name, number),
  strength: ID_STRENGTHS.user,
  subject: SUBJECT,
});
const toDevice = (number: number): ProfileRef => ({ ...toUser('device', number), strength: ID_STRENGTHS.anonymous });

const states = createStoredStates<object>({ encode: () => Buffer.alloc(0), decode: () => ({}) });
const sizeOf = (node: ProfileNode) => states.encode({ node, profile: undefined }).length;

/** All keys on one partition; the records that one event causes are taken before the next event. */
class StormWorld {
  readonly nodes = new Map<string, ProfileNode>();
  /** Of one event, at most. */
  recordsMax = 0;

  get bytesMax(): number {
    return [...this.nodes.values()].reduce((most, node) => Math.max(most, sizeOf(node)), 0);
  }

  name(self: ProfileRef, other: ProfileRef, rule: 'claim' | 'alias'): void {
    let records = 0;
    const queue: Array<() => readonly SentRecord[]> = [() => this.#takeEvent(self, other, rule)];
    for (let take = queue.shift(); take !== undefined; take = queue.shift()) {
      for (const sent of take()) {
        records++;
        queue.push(() => this.#take(sent));
      }
    }
    this.recordsMax = Math.max(this.recordsMax, records);
  }

  hopsOf(key: string): number {
    const node = this.nodes.get(key);
    return node?.kind === 'forwarder' ? 1 + this.hopsOf(node.to.key) : 0;
  }

  #takeEvent(self: ProfileRef, other: ProfileRef, rule: 'claim' | 'alias'): readonly SentRecord[] {
    const taken = takeEvent(this.nodes.get(self.key), { self, named: [{ other, rule }], atMs: 1e12 });
    // The copy that the stronger one takes.
    if (taken.result === 'forward') return this.#takeEvent(taken.node.to, other, rule);
    this.nodes.set(self.key, taken.node);
    return taken.sent;
  }

  #take(sent: SentRecord): readonly SentRecord[] {
    return sent.kind === 'link' ? this.#takeLink(sent.to, sent.other) : this.#takeJoin(sent);
  }

  #takeLink(self: ProfileRef, other: ProfileRef): readonly SentRecord[] {
    const taken = takeLink(this.nodes.get(self.key), { self, other, atMs: 1e12 });
    if (taken.result === 'forward') return this.#takeLink(taken.node.to, other);
    this.nodes.set(self.key, taken.node);
    return taken.sent;
  }

  #takeJoin({ to: self, target, rule }: Extract<SentRecord, { kind: 'join' }>): readonly SentRecord[] {
    const taken = takeJoin(this.nodes.get(self.key), { self, target, rule, atMs: 1e12 });
    if (taken.node !== undefined) this.nodes.set(self.key, taken.node);
    if (taken.result === 'hand_over') this.#takeHandOver(target, { from: self.key, members: taken.members });
    return taken.result === 'elsewhere' ? taken.sent : [];
  }

  #takeHandOver(self: ProfileRef, joined: Pick<Parameters<typeof takeHandOver>[1], 'from' | 'members'>): void {
    const taken = takeHandOver(this.nodes.get(self.key), { ...joined, atMs: 1e12 });
    if (taken.result === 'forward') this.#takeHandOver(taken.node.to, joined);
    else this.nodes.set(self.key, taken.node);
  }
}

/** A member is a key, a flag and a time. */
const ROOT_BYTES_MAX = MEMBERS_MAX * 40;

describe(`${STORM.toLocaleString('en')} joins around one id`, () => {
  it('of devices that one user names: 128 are taken in, the others are counted', () => {
    const world = new StormWorld();
    const user = toUser('user', 1);
    for (let i = 0; i < STORM; i++) world.name(user, toDevice(i), 'claim');
    const root = world.nodes.get(user.key);
    expect(root).toMatchObject({ kind: 'root', cutOff: STORM - MEMBERS_MAX });
    expect(world.nodes.size).toBe(MEMBERS_MAX + 1);
    expect(world.bytesMax).toBeLessThan(ROOT_BYTES_MAX);
    expect(world.recordsMax).toBe(1);
  });

  it('of users who name one device: it belongs to the first, and knows nothing of the others', () => {
    const world = new StormWorld();
    const device = toDevice(1);
    for (let i = 0; i < STORM; i++) world.name(toUser('user', i), device, 'claim');
    expect(world.nodes.get(device.key)).toMatchObject({ kind: 'forwarder', to: { key: toKey('user', 0) } });
    expect(world.bytesMax).toBeLessThan(120);
    expect(world.recordsMax).toBe(1);
  });

  it('of users who say that they were one and the same before: one profile of 128, whose ids are found in a few hops', () => {
    const world = new StormWorld();
    const shared = toUser('shared', 77);
    for (let i = 0; i < STORM; i++) world.name(toUser('user', i), shared, 'alias');
    expect(world.bytesMax).toBeLessThan(ROOT_BYTES_MAX);
    expect(world.hopsOf(shared.key)).toBeLessThan(16);
    // Each costs the same, however many were before.
    expect(world.recordsMax).toBeLessThan(24);
  });
});
