import { describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import {
  createStoredStates,
  ID_STRENGTHS,
  INITIAL_RULES,
  MEMBERS_MAX,
  type ProfileNode,
  type ProfileRef,
  type SentRecord,
  takeEvent,
  takeHandOver,
  takeJoin,
  takeLink,
} from './index.js';
import { requireIdentityRules } from './rules/parse-rules.js';
import type { LinkRule } from './take.js';

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

  constructor(readonly rules = INITIAL_RULES) {}

  get bytesMax(): number {
    return [...this.nodes.values()].reduce((most, node) => Math.max(most, sizeOf(node)), 0);
  }

  name(self: ProfileRef, other: ProfileRef, rule: LinkRule): void {
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

  #takeEvent(self: ProfileRef, other: ProfileRef, rule: LinkRule): readonly SentRecord[] {
    const taken = takeEvent(this.nodes.get(self.key), {
      self,
      named: [{ other, rule }],
      atMs: 1e12,
      rules: this.rules,
    });
    // The copy that the stronger one takes.
    if (taken.result === 'forward') return this.#takeEvent(taken.node.to, other, rule);
    this.nodes.set(self.key, taken.node);
    return taken.sent;
  }

  #take(sent: SentRecord): readonly SentRecord[] {
    return sent.kind === 'link' ? this.#takeLink(sent.to, sent) : this.#takeJoin(sent);
  }

  #takeLink(self: ProfileRef, link: { readonly other: ProfileRef; readonly rule: LinkRule }): readonly SentRecord[] {
    const { other, rule } = link;
    const taken = takeLink(this.nodes.get(self.key), { self, other, rule, atMs: 1e12, rules: this.rules });
    this.nodes.set(self.key, taken.node);
    if (taken.result === 'forward') return this.#takeLink(taken.node.to, link);
    return taken.result === 'take' ? taken.sent : [];
  }

  #takeJoin({ to: self, target, rule }: Extract<SentRecord, { kind: 'join' }>): readonly SentRecord[] {
    const taken = takeJoin(this.nodes.get(self.key), { self, target, rule, atMs: 1e12, rules: this.rules });
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

  describe('of devices that name one e-mail', () => {
    const PROFILES_MAX = 16;
    const rules = requireIdentityRules(
      `version: 1\nkinds: { email: { strength: 200, read: [traits.email], maxProfiles: ${PROFILES_MAX} } }\n`,
      { fileName: 'identity.yaml' },
    );
    const email = { ...toUser('email', 5), strength: 200 };

    it('joins as many as the rules allow; the others stay apart, each at the cost of one record', () => {
      const world = new StormWorld(rules);
      for (let i = 0; i < STORM; i++) world.name(toDevice(i), email, 'tie');
      const root = must(world.nodes.get(email.key), 'the e-mail');
      expect(root).toMatchObject({ kind: 'root', namedBy: STORM });
      const joined = [...world.nodes].filter(([, node]) => node.kind === 'forwarder');
      expect(joined).toHaveLength(PROFILES_MAX);
      expect(sizeOf(root)).toBeLessThan(PROFILES_MAX * 40 + 60);
      expect(world.recordsMax).toBe(2);
    });

    it('joins as many to the user whose e-mail it is', () => {
      const world = new StormWorld(rules);
      const user = toUser('user', 1);
      world.name(user, email, 'tie');
      for (let i = 0; i < STORM; i++) world.name(toDevice(i), email, 'tie');
      const joined = [...world.nodes.values()].filter((node) => node.kind === 'forwarder');
      // The user is the first who named it; the e-mail has joined him, too.
      expect(joined).toHaveLength(PROFILES_MAX);
      expect(world.nodes.get(user.key)).toMatchObject({ kind: 'root', cutOff: 0 });
      expect(world.recordsMax).toBe(2);
    });
  });
});
