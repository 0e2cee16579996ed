import {
  addParted,
  countNaming,
  type ForwarderNode,
  hasMember,
  isApart,
  LONE_ROOT,
  MEMBERS_MAX,
  type Member,
  type Parted,
  type ProfileNode,
  type RootNode,
  withMembers,
  withoutApart,
} from './node.js';
import { ID_STRENGTHS, isStronger, type ProfileRef } from './profile-ref.js';
import { INITIAL_RULES } from './rules/identity-rules.js';

/*
 * What one key does with a record about identities, as a pure function of its own node: nobody knows all keys. Each
 * function gives the node after it, and either where the record goes instead or what is to be sent.
 */

/**
 * `claim`: a device or another weak id belongs to whoever names it first. `tie`: both ids are of one person, unless each
 * belongs to another id of a kind of which a person has one. `alias`: both ids are one person, said expressly. `merge`: the
 * same, said by a change, which joins also what an unmerge has parted.
 */
export type LinkRule = 'claim' | 'tie' | 'alias' | 'merge';

/** What rules about kinds of ids say of joins; without them those before any rollout hold. */
interface JoinRules {
  /** Undefined for a kind that the rules lack. */
  kindOf(strength: number): unknown;
  /** Whether a person has one id of the kind with this strength. */
  isUnique(strength: number): boolean;
  /** Profiles that may name one value of the kind with this strength; undefined for no limit. */
  profilesMax(strength: number): number | undefined;
}

/** Another id that an event names beside its own. */
export interface NamedId {
  readonly other: ProfileRef;
  readonly rule: LinkRule;
}

/** A record for another key. `join`: hand over to `target`; `link`: you and `other` are one person. */
export type SentRecord =
  | {
      readonly kind: 'join';
      readonly to: ProfileRef;
      readonly target: ProfileRef;
      readonly rule: LinkRule;
      readonly change?: number | undefined;
    }
  | {
      readonly kind: 'link';
      readonly to: ProfileRef;
      readonly other: ProfileRef;
      readonly rule: LinkRule;
      readonly change?: number | undefined;
    };

/** The profile that a record goes to instead of being used here. */
export interface Forwarded {
  readonly result: 'forward';
  readonly node: ForwarderNode;
}

export interface Taken {
  readonly result: 'take';
  /** The same object when nothing changed. */
  readonly node: RootNode;
  readonly sent: readonly SentRecord[];
  /** Ids that were not asked, this profile having `MEMBERS_MAX` of them. */
  readonly cutOff: number;
  /** Ids that were not asked, since they are of another person. */
  readonly conflicts: number;
}

/** `cut_off`: too many profiles have named this id, it joins no further one. `no_kind`: the rules lack a kind. */
type Ended =
  | { readonly result: 'cut_off'; readonly node: ProfileNode }
  | { readonly result: 'no_kind'; readonly node: ProfileNode };

const NOTHING = { result: 'take', sent: [], cutOff: 0, conflicts: 0 } as const;

/** An event that names other ids: each is asked to join once; too many are cut off. */
export function takeEvent(
  node: ProfileNode | undefined,
  event: {
    readonly self: ProfileRef;
    readonly named: readonly NamedId[];
    readonly atMs: number;
    readonly rules?: JoinRules | undefined;
  },
): Forwarded | Taken {
  const { self, named, atMs, rules = INITIAL_RULES } = event;
  if (node?.kind === 'forwarder') return { result: 'forward', node };
  let taken: Taken = { ...NOTHING, node: node ?? LONE_ROOT };
  for (const id of named) taken = ask(taken, { self, id, atMs, rules });
  return taken;
}

/**
 * A record `link`: the profile of the other id is weaker, or was joined to a stronger one. `change` is the number of the
 * change that says so.
 */
export function takeLink(
  node: ProfileNode | undefined,
  link: {
    readonly self: ProfileRef;
    readonly other: ProfileRef;
    /** Default: alias. */
    readonly rule?: LinkRule | undefined;
    readonly atMs: number;
    readonly change?: number | undefined;
    readonly rules?: JoinRules | undefined;
  },
): Forwarded | Taken | Ended {
  const { self, other, atMs, change, rules = INITIAL_RULES } = link;
  const rule = change === undefined ? (link.rule ?? 'alias') : 'merge';
  if (rule === 'tie' && lacksKind(rules, [self, other])) return { result: 'no_kind', node: node ?? LONE_ROOT };
  const counted = rule === 'tie' ? countNaming(node ?? LONE_ROOT, rules.profilesMax(self.strength)) : undefined;
  if (counted?.isTooMany) return { result: 'cut_off', node: counted.node };
  const known = counted?.node ?? node;
  if (known?.kind === 'forwarder') return { result: 'forward', node: known };
  return ask({ ...NOTHING, node: known ?? LONE_ROOT }, { self, id: { other, rule }, atMs, change, rules });
}

function ask(
  before: Taken,
  asked: {
    readonly self: ProfileRef;
    readonly id: NamedId;
    readonly atMs: number;
    readonly change?: number | undefined;
    readonly rules: JoinRules;
  },
): Taken {
  const { self, id, atMs, change, rules } = asked;
  const { other, rule } = id;
  const isMerge = rule === 'merge';
  const node = isMerge ? withoutApart(before.node, other.key) : before.node;
  if (other.key === self.key) return before;
  // One that was asked, and parted since, is asked again by a change.
  const isMember = hasMember(node, other.key);
  if (!isMerge && (isMember || isApart(node, other.key))) return before;
  const isOtherStronger = isStronger(other, self);
  // A claim is of a weaker id: nobody becomes a part of a profile because he names it.
  if (isOtherStronger && rule === 'claim') return before;
  // Before it is a member: one that was asked is asked no more, and the kind may be back tomorrow.
  if (rule === 'tie' && lacksKind(rules, [self, other])) return before;
  if (rule === 'tie' && areTwoPersons(self, other, rules)) return { ...before, conflicts: before.conflicts + 1 };
  if (!isMember && node.members.length >= MEMBERS_MAX) {
    return { ...before, node: { ...node, cutOff: node.cutOff + 1 }, cutOff: before.cutOff + 1 };
  }
  const by = change === undefined ? {} : { change };
  const sent: SentRecord = isOtherStronger
    ? { kind: 'link', to: other, other: self, rule, ...by }
    : { kind: 'join', to: other, target: self, rule, ...by };
  const after = withMembers(node, [{ key: other.key, isJoined: false, atMs, ...toKnownStrength(other) }]);
  return { ...before, node: after, sent: [...before.sent, sent] };
}

/** Nothing says how many may share an id of a kind that the rules lack: a tie by it joins nobody. */
function lacksKind(rules: JoinRules, refs: readonly ProfileRef[]): boolean {
  return refs.some(({ strength }) => rules.kindOf(strength) === undefined);
}

/** Each is the strongest id of its profile, or may become it: of a unique kind they are of two persons. */
function areTwoPersons(a: ProfileRef, b: ProfileRef, rules: JoinRules): boolean {
  return a.strength === b.strength && a.key !== b.key && rules.isUnique(a.strength);
}

/** Members that are users or devices are kept without: that is how states have had them from the beginning. */
function toKnownStrength({ strength }: ProfileRef): Pick<Member, 'strength'> {
  return Object.values<number>(ID_STRENGTHS).includes(strength) ? {} : { strength };
}

/**
 * What a key does with a record `join`. `hand_over`: it has become a forwarder, and its state goes to `node.to` with the
 * members that had joined it. `elsewhere`: it belongs to another profile; a claim ends there, an alias goes on to that one,
 * and so does a tie that finds no second person there.
 */
export type JoinResult =
  | { readonly result: 'hand_over'; readonly node: ForwarderNode; readonly members: readonly Member[] }
  | { readonly result: 'done'; readonly node: ProfileNode | undefined }
  | {
      readonly result: 'elsewhere';
      readonly node: ForwarderNode;
      readonly sent: readonly SentRecord[];
      /** Too many profiles have named this key, or it belongs to another person. */
      readonly rejected?: 'cut_off' | 'conflict' | undefined;
    };

export function takeJoin(
  node: ProfileNode | undefined,
  join: {
    readonly self: ProfileRef;
    readonly target: ProfileRef;
    readonly rule: LinkRule;
    readonly atMs: number;
    readonly change?: number | undefined;
    readonly rules?: JoinRules | undefined;
  },
): JoinResult {
  const { self, target, rule, atMs, change, rules = INITIAL_RULES } = join;
  const counted = rule === 'tie' ? countNaming(node ?? LONE_ROOT, rules.profilesMax(self.strength)) : undefined;
  const known = counted?.node ?? node;
  if (known?.kind === 'forwarder') {
    if (known.to.key === target.key) return { result: 'done', node: known };
    if (rule === 'claim') return { result: 'elsewhere', node: known, sent: [] };
    if (rule === 'tie' && lacksKind(rules, [self, target, known.to]))
      return { result: 'elsewhere', node: known, sent: [] };
    if (counted?.isTooMany) return { result: 'elsewhere', node: known, sent: [], rejected: 'cut_off' };
    if (rule === 'tie' && areTwoPersons(known.to, target, rules))
      return { result: 'elsewhere', node: known, sent: [], rejected: 'conflict' };
    const by = change === undefined ? {} : { change };
    const onward: LinkRule = change === undefined ? rule : 'merge';
    return {
      result: 'elsewhere',
      node: known,
      sent: [{ kind: 'link', to: known.to, other: target, rule: onward, ...by }],
    };
  }
  // One that joins for the first time does so whatever the rules say: readers of the log without states count on it.
  const own = known ?? LONE_ROOT;
  // Forged, as a profile asks weaker ones alone; or asked before an unmerge parted them.
  if (!isStronger(target, self) || (rule !== 'merge' && isApart(own, target.key))) return { result: 'done', node };
  const { parted } = withoutApart(own, target.key);
  const members = own.members.filter(({ isJoined }) => isJoined);
  const kept = { ...(parted && { parted }), ...(own.namedBy !== undefined && { namedBy: own.namedBy }) };
  return { result: 'hand_over', node: { kind: 'forwarder', to: target, sinceMs: atMs, ...kept }, members };
}

/** A record `hand_over`: the profile `from` and its members have joined. */
export function takeHandOver(
  node: ProfileNode | undefined,
  {
    from,
    members,
    atMs,
    parted,
  }: {
    readonly from: string;
    readonly members: readonly Member[];
    readonly atMs: number;
    /** Of the profile that has joined. */
    readonly parted?: Parted | undefined;
  },
): Forwarded | Taken {
  if (node?.kind === 'forwarder') return { result: 'forward', node };
  const joined = withMembers(node ?? LONE_ROOT, [{ key: from, isJoined: true, atMs }, ...members]);
  const all = addParted(joined.parted, parted);
  const after = all === undefined ? joined : { ...joined, parted: all };
  return { ...NOTHING, node: after, cutOff: joined.cutOff - (node?.cutOff ?? 0) };
}
