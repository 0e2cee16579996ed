import type { AcceptedEvent, HandOver } from '@perennial/contracts';
import {
  createStoredStates,
  type ForwarderNode,
  fromMember,
  type IdentityRules,
  LEDGER_KEY,
  type Parted,
  takeEvent,
  takeHandOver,
  takeJoin,
  takeLink,
  toMember,
  toParts,
  toStored,
} from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import type { Cause, Output, ProcessorDefinition, StepContext, StepItem, StepResult } from '@perennial/keyed-processor';
import type { FeatureInput } from '../domain/fold.js';
import { hadEvents, type ProfileState } from '../domain/profile-state.js';
import type { RetractionInput } from '../retract/retraction-record.js';
import type { TagInput } from '../tags/tag-records.js';
import { requireKnownTime, requireMembers, requireRef, requireStronger } from './check-refs.js';
import {
  type AcceptedInput,
  type CarriedRecord,
  decodeIdentityInput,
  type IdentityInput,
  type IdentityRecord,
  IdentityWriter,
  type ProfileInput,
  toMark,
  toNamedIds,
  toRule,
  toSelf,
} from './identity-records.js';
import type { IdentityTelemetry } from './identity-telemetry.js';
import { stepLedger } from './ledger-step.js';
import { toJoinedKeys } from './part-keys.js';
import type { ProfileInStore, StoredProfile } from './stored-profile.js';
import type { LoadedUnmerge } from './unmerge-document.js';
import { holdWhileLeaving, isDropped, type Place, type Taken, UnmergeSteps } from './unmerge-steps.js';

export interface IdentityOptions<Evidence> {
  /** Folds events into the profile of its key, and knows nothing of joins. */
  readonly profiles: ProcessorDefinition<ProfileState, ProfileInput, Evidence>;
  /** Merges a profile that has joined into one that stays; the merged one has the sealed id `subject`. */
  readonly merge: (
    staying: ProfileState | undefined,
    joined: ProfileState,
    into: {
      readonly context: StepContext;
      readonly evidence: Evidence;
      readonly subject: Buffer;
      /** Of the joined profile and of those that had joined it. */
      readonly joinedKeys: readonly string[];
    },
  ) => { readonly state: ProfileState; readonly output: Output };
  /** A profile as it is after an unmerge, later than `afterMs`; without one, a profile of nothing. */
  readonly settle: (
    profile: ProfileState | undefined,
    at: {
      readonly context: StepContext;
      readonly evidence: Evidence;
      readonly subject: Buffer;
      readonly afterMs: number;
    },
  ) => { readonly state: ProfileState; readonly output: Output };
  /** What the archive gives of both profiles of an unmerge, as its record names it. */
  readonly toUnmerge: (evidence: Evidence) => LoadedUnmerge | undefined;
  /** What a record that was held needs, of what the one with which it is taken again has. */
  readonly toHeldEvidence: (evidence: Evidence, index: number) => Evidence;
  readonly isFilling: (evidence: Evidence, context: StepContext) => boolean;
  /** What is reported to the account of a profile when the profile is another one than before, or none any more: it has left. */
  readonly leaveAccount: (
    before: ProfileState | undefined,
    after: ProfileState | undefined,
    context: StepContext,
  ) => readonly Output[];
  /** The rules about ids in force; undefined for those before any rollout. */
  readonly toRules: (evidence: Evidence) => IdentityRules | undefined;
  /** Announces that the profile of a key has joined another one. */
  readonly toJoined: (to: IdentityInput['self']) => Output;
  /** Makes known what a state that another partition made may need: every spec that is registered. */
  readonly refresh: () => Promise<void>;
  readonly telemetry: IdentityTelemetry;
}

/**
 * The processor of profiles with joins around it: which profile an event belongs to, hand-overs, forwarded events. The
 * rules are in `@perennial/identity`, the reasons in ADR 26.
 */
export function withIdentities<Evidence>(
  options: IdentityOptions<Evidence>,
): ProcessorDefinition<StoredProfile, AcceptedInput, Evidence> {
  const { profiles } = options;
  const { prepare } = profiles;
  const steps = new IdentitySteps(options);
  return {
    ...profiles,
    codec: {
      ...createStoredStates(profiles.codec),
      timerAtMs(stored) {
        const { profile } = toParts(stored);
        return profile && profiles.codec.timerAtMs(profile);
      },
    },
    decode: (record) => decodeIdentityInput(record) ?? profiles.decode(record),
    async prepare(items) {
      if (items.some(({ cause }) => !steps.canRead(cause))) await options.refresh();
      // A definition without evidence has none for the items either.
      return (await prepare?.(items.map(toProfileItem))) ?? items.map(() => undefined as Evidence);
    },
    step: (item, evidence) => steps.step(item, evidence),
  };
}

/** The item as the processor of profiles has it; of a record about joins it needs what a timer needs. */
function toProfileItem({
  state,
  cause,
  context,
}: StepItem<StoredProfile, AcceptedInput>): StepItem<ProfileState, ProfileInput> {
  const { profile } = toParts(state);
  if (cause.kind === 'timer') return { state: profile, cause, context };
  const { input } = cause;
  if ('identity' in input) return { state: profile, cause: { kind: 'timer', dueAtMs: context.logTimeMs }, context };
  return { state: profile, cause: { kind: 'record', input }, context };
}

class IdentitySteps<Evidence> {
  readonly #options: IdentityOptions<Evidence>;
  readonly #writer: IdentityWriter;
  readonly #unmerges: UnmergeSteps<Evidence>;

  constructor(options: IdentityOptions<Evidence>) {
    this.#options = options;
    this.#writer = new IdentityWriter(options.profiles.inputTopic);
    this.#unmerges = new UnmergeSteps({
      ...options,
      writer: this.#writer,
      states: createStoredStates(options.profiles.codec),
      take: (before, input, place) => this.#take(before, input, place).after,
    });
  }

  step(item: StepItem<StoredProfile, AcceptedInput>, evidence: Evidence): StepResult<StoredProfile> {
    const { state, cause, context } = item;
    const before = toParts(state);
    const place = { context, evidence };
    if (before.node.kind === 'ledger' || context.key === LEDGER_KEY) {
      this.#unmerges.requireDone(cause, place);
      const { node, outputs } = stepLedger(before.node, cause, { context, writer: this.#writer });
      return { state: toStored({ ...before, node }, state), outputs };
    }
    const known = { ...before, node: before.node };
    const { after, outputs } =
      cause.kind === 'timer' ? this.#stepProfile(known, cause, place) : this.#stepRecord(known, cause.input, place);
    return { state: toStored(after, state), outputs };
  }

  #stepRecord(before: ProfileInStore, input: AcceptedInput, place: Place<Evidence>): Taken {
    if ('identity' in input && input.identity.kind === 'unmerge') {
      return this.#unmerges.step(before, { unmerge: input.identity.unmerge, self: input.self }, place);
    }
    if (isDropped(before.node, toMark(input))) return { after: before, outputs: [] };
    const taken = this.#take(before, input, place);
    return holdWhileLeaving(before, taken, { input, logTimeMs: place.context.logTimeMs, writer: this.#writer });
  }

  #take(before: ProfileInStore, input: AcceptedInput, place: Place<Evidence>): Taken {
    if ('account' in input) {
      // The profile that it has joined gets reports itself, once it has an event.
      if (before.node.kind === 'forwarder') return { after: before, outputs: [] };
      return this.#stepProfile(before, { kind: 'record', input }, place);
    }
    if ('retraction' in input) return this.#takeRetraction(before, input, place);
    if ('tag' in input) return this.#takeTag(before, input, place);
    return 'identity' in input ? this.#takeIdentity(before, input, place) : this.#takeEvent(before, input, place);
  }

  /** An event of a profile that has joined another one was counted there, or was handed over. */
  #takeRetraction(before: ProfileInStore, input: RetractionInput, place: Place<Evidence>): Taken {
    const { node } = before;
    if (node.kind === 'root') return this.#stepProfile(before, { kind: 'record', input }, place);
    const mark = node.leaving?.number ?? toMark(input);
    const to = requireStronger(node.to, input.self);
    const outputs = [this.#writer.forwardRetraction(input.retraction, to, mark)];
    this.#options.telemetry.forwarded('retraction');
    return { after: before, outputs };
  }

  /** False for a hand-over whose state this process cannot read yet: its partition may have a newer spec in force. */
  canRead(cause: StepItem<StoredProfile, AcceptedInput>['cause']): boolean {
    if (cause.kind === 'timer' || !('identity' in cause.input) || cause.input.identity.kind !== 'hand_over')
      return true;
    try {
      this.#readState(cause.input.identity.handOver.state);
      return true;
    } catch {
      // What stays unreadable after a refresh becomes a dead letter, with its cause.
      return false;
    }
  }

  #takeEvent(before: ProfileInStore, { event, properties }: FeatureInput, place: Place<Evidence>): Taken {
    const { context } = place;
    const self = toSelf(context.key, event);
    const rules = this.#options.toRules(place.evidence);
    const taken = takeEvent(before.node, { self, named: toNamedIds(event), atMs: toTime(context, event), rules });
    if (taken.result === 'forward') {
      const mark = taken.node.leaving?.number ?? event.leaving;
      const outputs = [this.#writer.forwardEvent(event, requireStronger(taken.node.to, self), mark)];
      this.#options.telemetry.forwarded('event');
      return { after: before, outputs };
    }
    const input = { event: event.forwardedTo === undefined ? event : withSubject(event, before.profile), properties };
    const result = this.#stepProfile({ ...before, node: taken.node }, { kind: 'record', input }, place);
    // Last, so that a step that throws has counted nothing.
    this.#options.telemetry.taken(taken);
    return { ...result, outputs: [...result.outputs, ...this.#writer.toOutputs(taken.sent)] };
  }

  #stepProfile(before: ProfileInStore, cause: Cause<ProfileInput>, { context, evidence }: Place<Evidence>): Taken {
    const { state, outputs } = this.#options.profiles.step({ state: before.profile, cause, context }, evidence);
    return { after: { ...before, profile: state }, outputs };
  }

  /** It is of the person: of one that has joined another it goes where events go. */
  #takeTag(before: ProfileInStore, input: TagInput, place: Place<Evidence>): Taken {
    const { node } = before;
    if (node.kind === 'root') return this.#stepProfile(before, { kind: 'record', input }, place);
    const { tag } = input;
    this.#options.telemetry.forwarded('tag');
    const mark = node.leaving?.number ?? tag.leaving;
    return { after: before, outputs: [this.#writer.forwardTag(tag, requireStronger(node.to, tag.self), mark)] };
  }

  #takeIdentity(before: ProfileInStore, input: IdentityInput, place: Place<Evidence>): Taken {
    const { identity, self } = input;
    const { context } = place;
    switch (identity.kind) {
      case 'link': {
        const other = requireRef(identity.link.other, 'other');
        const { change, tie } = identity.link;
        const link = { self, other, rule: tie ? ('tie' as const) : ('alias' as const), change };
        const rules = this.#options.toRules(place.evidence);
        const taken = takeLink(before.node, { ...link, atMs: context.logTimeMs, rules });
        const after = { ...before, node: taken.node };
        if (taken.result === 'forward') {
          requireStronger(taken.node.to, self);
          return this.#forward(after, identity, taken.node);
        }
        if (taken.result === 'no_kind') return { after, outputs: [] };
        if (taken.result === 'cut_off') {
          this.#options.telemetry.rejected('cut_off');
          return { after, outputs: [] };
        }
        this.#options.telemetry.taken(taken);
        return { after, outputs: this.#writer.toOutputs(taken.sent) };
      }
      case 'join':
        return this.#takeJoin(before, input, identity, place);
      case 'hand_over':
        return this.#takeHandOver(before, input, identity, place);
      default:
        throw new AppError('contract_violation', `a record ${identity.kind} under the key of a profile`);
    }
  }

  #forward(before: ProfileInStore, identity: CarriedRecord, { to, leaving }: ForwarderNode): Taken {
    this.#options.telemetry.forwarded(identity.kind);
    const mark = leaving?.number ?? toMark({ identity, self: to });
    return { after: before, outputs: [this.#writer.forwardRecord(identity, to, mark)] };
  }

  #takeJoin(
    before: ProfileInStore,
    { self }: IdentityInput,
    { join }: Extract<IdentityRecord, { kind: 'join' }>,
    { context, evidence }: Place<Evidence>,
  ): Taken {
    const target = requireRef(join.target, 'target');
    const { change } = join;
    const rules = this.#options.toRules(evidence);
    const taken = takeJoin(before.node, { self, target, rule: toRule(join), atMs: context.logTimeMs, change, rules });
    this.#options.telemetry.asked(taken.result);
    if (taken.result === 'done') return { after: { ...before, node: taken.node ?? before.node }, outputs: [] };
    if (taken.result === 'elsewhere') {
      if (taken.rejected !== undefined) this.#options.telemetry.rejected(taken.rejected);
      return { after: { ...before, node: taken.node }, outputs: this.#writer.toOutputs(taken.sent) };
    }
    const after = { node: taken.node, profile: undefined };
    const parted = toPartedMessage(taken.node.parted);
    // Nothing to hand over: the events that come are forwarded.
    if (before.profile === undefined && taken.members.length === 0 && parted === undefined)
      return { after, outputs: [] };
    const members = taken.members.map(fromMember);
    const state = before.profile === undefined ? Buffer.alloc(0) : this.#options.profiles.codec.encode(before.profile);
    const handOver = this.#writer.handOver(
      { self: target, from: self.key, members, state, ...(parted && { parted }) },
      target,
    );
    // Also a profile that had no events: action may know what others reported of it, such as a withdrawal of consent.
    const announced = before.profile === undefined ? [] : [this.#options.toJoined(target)];
    // Else a device that is none any more keeps its place among the members of an account, which are bounded.
    const left = this.#options.leaveAccount(before.profile, undefined, context);
    return { after, outputs: [handOver, ...left, ...announced] };
  }

  #takeHandOver(
    before: ProfileInStore,
    { self }: IdentityInput,
    identity: Extract<IdentityRecord, { kind: 'hand_over' }>,
    { context, evidence }: Place<Evidence>,
  ): Taken {
    const { from, state, parted } = identity.handOver;
    const members = requireMembers(identity.handOver);
    const taken = takeHandOver(before.node, { from, members: members.map(toMember), atMs: context.logTimeMs, parted });
    if (taken.result === 'forward') {
      requireStronger(taken.node.to, self);
      return this.#forward(before, identity, taken.node);
    }
    const profile = this.#readState(state);
    if (profile === undefined) {
      this.#options.telemetry.joined(taken);
      return { after: { ...before, node: taken.node }, outputs: [] };
    }
    const merged = this.#options.merge(before.profile, profile, {
      context,
      evidence,
      subject: before.profile?.subject.length ? before.profile.subject : profile.subject,
      joinedKeys: toJoinedKeys(identity.handOver),
    });
    this.#requireStorable(merged.state);
    this.#options.telemetry.joined(taken);
    const left = this.#options.leaveAccount(before.profile, merged.state, context);
    const announced = hadEvents(merged.state) ? [merged.output] : [];
    return { after: { ...before, node: taken.node, profile: merged.state }, outputs: [...left, ...announced] };
  }

  #readState(state: Buffer): ProfileState | undefined {
    return state.length === 0 ? undefined : requireKnownTime(this.#options.profiles.codec.decode(state));
  }

  /** Damaged bytes may be read, and stop the partition once they are stored: a hand-over is rare, so that it may cost this. */
  #requireStorable(state: ProfileState): void {
    const { codec } = this.#options.profiles;
    codec.decode(codec.encode(state));
  }
}

/**
 * A forwarded event leaves the profile's external id as it is. A profile that has only what others brought has the id of
 * the first of them: its own may be an id that nobody uses, as when an alias names a device.
 */
function withSubject(event: AcceptedEvent, profile: ProfileState | undefined): AcceptedEvent {
  return profile === undefined || profile.subject.length === 0 ? event : { ...event, subject: profile.subject };
}

function toPartedMessage(parted: Parted | undefined): HandOver['parted'] {
  return parted && { apart: [...parted.apart], left: [...parted.left] };
}

/** In a namespace without ticks the arrival of its events is the time. */
function toTime({ logTimeMs }: StepContext, { receivedAtMs }: AcceptedEvent): number {
  return Math.max(logTimeMs, receivedAtMs);
}
