import type { ProfileRef, Unmerge } from '@perennial/contracts';
import {
  addParted,
  type HeldRecord,
  type Leaving,
  LONE_ROOT,
  type ProfileNode,
  type RootNode,
  type StoredNode,
  toAddress,
  toParts,
} from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import type { Cause, Output, StepContext } from '@perennial/keyed-processor';
import { FILL_TAG_DIGITS, hadEvents, type ProfileState } from '../domain/profile-state.js';
import { requireStronger } from './check-refs.js';
import { countBytes, countNamings, fromHeld, HELD_BYTES_END, HELD_BYTES_MAX, toHeld } from './held.js';
import { type AcceptedInput, type IdentityWriter, toMark } from './identity-records.js';
import type { ProfileInStore, StoredProfile } from './stored-profile.js';
import type { LoadedUnmerge } from './unmerge-document.js';

export interface Place<Evidence> {
  readonly context: StepContext;
  readonly evidence: Evidence;
}

export interface Taken {
  readonly after: ProfileInStore;
  readonly outputs: readonly Output[];
}

interface UnmergeOptions<Evidence> {
  readonly writer: IdentityWriter;
  readonly states: { decode(bytes: Buffer): StoredProfile };
  /** Takes a record as a profile that no unmerge concerns. */
  readonly take: (before: ProfileInStore, input: AcceptedInput, place: Place<Evidence>) => ProfileInStore;
  readonly settle: (
    profile: ProfileState | undefined,
    at: Place<Evidence> & { readonly subject: Buffer; readonly afterMs: number },
  ) => { readonly state: ProfileState; readonly output: Output };
  readonly toUnmerge: (evidence: Evidence) => LoadedUnmerge | undefined;
  /** What the held record at an index needs, of that of the record with which it is taken again. */
  readonly toHeldEvidence: (evidence: Evidence, index: number) => Evidence;
  readonly isFilling: (evidence: Evidence, context: StepContext) => boolean;
  readonly telemetry: { parted(result: 'left' | 'interrupted' | 'not_joined' | 'failed'): void };
}

/**
 * The steps of an unmerge at the keys that it concerns (ADR 28). The pair stays joined until `part`: both keys hold what
 * comes from `begin` and `leave` on, and take it again over what the archive gives below those records.
 */
export class UnmergeSteps<Evidence> {
  readonly #options: UnmergeOptions<Evidence>;

  constructor(options: UnmergeOptions<Evidence>) {
    this.#options = options;
  }

  step(before: ProfileInStore, at: Addressed, place: Place<Evidence>): Taken {
    switch (at.unmerge.step) {
      case 'begin':
        return this.#begin(before, at, place);
      case 'leave':
        return this.#leave(before, at, place);
      case 'part':
        return this.#part(before, at, place);
      case 'left':
        return this.#left(before, at, place);
      case 'abort':
        return this.#abort(before, at);
      case 'withdraw':
        return this.#withdraw(before, at);
      case 'give_up':
        return this.#giveUp(before, at);
      case 'given_up':
        return this.#givenUp(before, at);
      case 'clear':
        // No ledger began it: nobody waits for an answer.
        return { after: isUnderWay(before.node, at.unmerge) ? withoutLeaving(before) : before, outputs: [] };
      default:
        throw new AppError('contract_violation', `a step ${at.unmerge.step} of an unmerge under a profile's key`);
    }
  }

  /** At the key that leaves: it forwards as before, with a mark, and holds the same. */
  #begin({ node, profile }: ProfileInStore, { unmerge, self }: Addressed, { context }: Place<Evidence>): Taken {
    if (node.kind === 'root') {
      this.#options.telemetry.parted('not_joined');
      return { after: { node, profile }, outputs: [this.#tellLedger(unmerge, 'not_joined')] };
    }
    requireNext(node, unmerge);
    const after = { node: { ...node, leaving: toLeaving(unmerge, context) }, profile, held: [] };
    return {
      after,
      outputs: [this.#options.writer.unmerge({ ...unmerge, step: 'leave' }, requireStronger(node.to, self))],
    };
  }

  /** At each key on the way to the profile that is left, behind all that was forwarded without a mark. */
  #leave(before: ProfileInStore, { unmerge, self }: Addressed, { context }: Place<Evidence>): Taken {
    const { node } = before;
    if (node.kind === 'forwarder') return this.#passOn(before, unmerge, requireStronger(node.to, self));
    requireNext(node, unmerge);
    return { after: { ...before, node: { ...node, leaving: toLeaving(unmerge, context) }, held: [] }, outputs: [] };
  }

  /** At the profile that is left: from here on it is without the other one. */
  #part(before: ProfileInStore, { unmerge, self }: Addressed, place: Place<Evidence>): Taken {
    const { node } = before;
    // It joined another one meanwhile: the ledger knows, and the unmerge begins again.
    if (node.kind === 'forwarder' || !isUnderWay(node, unmerge)) return { after: before, outputs: [] };
    const { leaving } = node;
    const { isFilling, telemetry, writer } = this.#options;
    if (leaving.fill !== toFillTag(place.context) || isFilling(place.evidence, place.context)) {
      return this.#interrupt(before, unmerge);
    }
    const { path, stayer } = this.#loaded(unmerge, place);
    const added = { apart: path.slice(0, 1), left: [unmerge.number] };
    const after = this.#rebuild(before, { bytes: stayer, added, self }, place);
    telemetry.parted('left');
    const left = writer.unmerge({ ...unmerge, step: 'left' }, must(unmerge.leaver, 'the profile that leaves'));
    return { after: after.after, outputs: [...after.outputs, left] };
  }

  /** At the key that leaves, once the other one is without it: it is a profile of its own again. */
  #left(before: ProfileInStore, { unmerge, self }: Addressed, place: Place<Evidence>): Taken {
    if (!isUnderWay(before.node, unmerge)) return { after: before, outputs: [] };
    const { path, leaver } = this.#loaded(unmerge, place);
    const added = { apart: [...path.slice(1), unmerge.other], left: [] };
    const { after, outputs } = this.#rebuild(before, { bytes: leaver, added, self }, place);
    return { after, outputs: [...outputs, this.#tellLedger(unmerge, 'done')] };
  }

  /** The key that leaves holds too much. It goes on until the other one, which may have parted already, agrees. */
  #abort(before: ProfileInStore, { unmerge, self }: Addressed): Taken {
    const { node } = before;
    if (node.kind === 'forwarder') return this.#passOn(before, unmerge, requireStronger(node.to, self));
    return isUnderWay(node, unmerge) ? this.#interrupt(before, unmerge) : { after: before, outputs: [] };
  }

  /**
   * Somebody waits for the end of this attempt, and has read states that may be behind. At the key that leaves, and on its
   * way, it goes behind the `leave` of the attempt; what the profile that is left finds here is final.
   */
  #withdraw(before: ProfileInStore, { unmerge, self }: Addressed): Taken {
    const { node } = before;
    if (node.kind === 'forwarder') return this.#passOn(before, unmerge, requireStronger(node.to, self));
    // It has parted: the end is on its way to the ledger. So is the answer of a key that belongs to nobody.
    const isEnded = self.key === unmerge.leaver?.key || node.parted?.left.includes(unmerge.number);
    if (isEnded) return { after: before, outputs: [] };
    // Not under way where a record became a dead letter; in both cases no `part` of this attempt is taken from here on.
    const isHere = node.leaving?.number === unmerge.number;
    return isHere
      ? this.#interrupt(before, unmerge)
      : { after: before, outputs: [this.#tellLedger(unmerge, 'interrupted')] };
  }

  /** At the profile that is left: they cannot be parted, or need not be. Both stay as they are, one after the other. */
  #giveUp(before: ProfileInStore, { unmerge }: Addressed): Taken {
    const { node } = before;
    // It joined another one meanwhile: the unmerge begins again.
    if (node.kind === 'forwarder' || !isUnderWay(node, unmerge)) return { after: before, outputs: [] };
    this.#options.telemetry.parted(toEnd(unmerge));
    const leaver = must(unmerge.leaver, 'the profile that leaves');
    return {
      after: withoutLeaving(before),
      outputs: [this.#options.writer.unmerge({ ...unmerge, step: 'given_up' }, leaver)],
    };
  }

  #givenUp(before: ProfileInStore, { unmerge }: Addressed): Taken {
    if (!isUnderWay(before.node, unmerge)) return { after: before, outputs: [] };
    return { after: withoutLeaving(before), outputs: [this.#tellLedger(unmerge, toEnd(unmerge))] };
  }

  #interrupt(before: ProfileInStore, unmerge: Unmerge): Taken {
    this.#options.telemetry.parted('interrupted');
    return { after: withoutLeaving(before), outputs: [this.#tellLedger(unmerge, 'interrupted')] };
  }

  /** What the archive gives, what was held on top of it, and the vector of both. */
  #rebuild(
    before: ProfileInStore,
    rebuilt: {
      readonly bytes: Buffer;
      readonly added: NonNullable<RootNode['parted']>;
      readonly self: ProfileRef;
    },
    place: Place<Evidence>,
  ): Taken {
    const { states, take, settle, toHeldEvidence } = this.#options;
    const { bytes, added, self } = rebuilt;
    const root = toRoot(bytes.length === 0 ? undefined : states.decode(bytes));
    const parted = addParted(addParted(before.node.parted, root.node.parted), added);
    const held = before.held ?? [];
    // The archive is read as if nobody had asked this key to join: those who did have named it all the same.
    const namedBy = Math.max(root.node.namedBy ?? 0, (before.node.namedBy ?? 0) - countNamings(held));
    let after: ProfileInStore = { ...root, node: { ...root.node, parted, ...(namedBy > 0 && { namedBy }) } };
    for (const [index, record] of held.entries()) {
      const context = { ...place.context, logTimeMs: record.logTimeMs };
      try {
        const evidence = toHeldEvidence(place.evidence, index);
        after = take(after, fromHeld(self.key, record), { evidence, context });
      } catch {
        // It became a dead letter when it came.
      }
    }
    // One that had no event of its own was a profile to nobody; the other one was, and is to be known without these events.
    if (!hadEvents(after.profile) && !hadEvents(before.profile)) return { after, outputs: [] };
    const afterMs = before.profile?.engine.asOfMs ?? 0;
    const { state, output } = settle(after.profile, { ...place, subject: toAddress(self), afterMs });
    return { after: { node: after.node, profile: state }, outputs: [output] };
  }

  /** The ledger goes by the document of an unmerge that is done: it takes the end of none that there is not. */
  requireDone(cause: Cause<AcceptedInput>, place: Place<Evidence>): void {
    if (cause.kind !== 'record' || !('identity' in cause.input)) return;
    const { identity } = cause.input;
    if (identity.kind === 'unmerge' && identity.unmerge.step === 'done') this.#loaded(identity.unmerge, place);
  }

  #loaded({ number, attempt }: Unmerge, { evidence }: Place<Evidence>): LoadedUnmerge {
    const loaded = this.#options.toUnmerge(evidence);
    if (loaded === undefined)
      throw new AppError('contract_violation', `unmerge ${number} names a document that is not there`);
    if (loaded.number === number && loaded.attempt === attempt) return loaded;
    throw new AppError('contract_violation', `what the archive gives is of unmerge ${loaded.number}, not ${number}`);
  }

  #passOn(before: ProfileInStore, unmerge: Unmerge, to: ProfileRef): Taken {
    return { after: before, outputs: [this.#options.writer.unmerge(unmerge, to)] };
  }

  #tellLedger(unmerge: Unmerge, step: 'done' | 'interrupted' | 'not_joined' | 'failed'): Output {
    return this.#options.writer.unmerge({ ...unmerge, step });
  }
}

function toEnd({ reason }: Unmerge): 'not_joined' | 'failed' {
  return reason === undefined ? 'not_joined' : 'failed';
}

interface Addressed {
  readonly unmerge: Unmerge;
  readonly self: ProfileRef;
}

/** True for a marked copy of an event that the profile which left has by itself. */
export function isDropped({ parted }: ProfileNode, mark: number | undefined): boolean {
  return mark !== undefined && (parted?.left.includes(mark) ?? false);
}

/** Keeps what came for the end of the unmerge that is under way; ends it where that is impossible. */
export function holdWhileLeaving(
  before: ProfileInStore,
  taken: Taken,
  {
    input,
    logTimeMs,
    writer,
  }: { readonly input: AcceptedInput; readonly logTimeMs: number; readonly writer: IdentityWriter },
): Taken {
  const { node } = before;
  const { leaving } = node;
  if (leaving === undefined) return taken;
  const unmerge = { ...leaving, step: '', hash: '' };
  if (node.kind === 'root' && taken.after.node.kind === 'forwarder') {
    // It joins another one: what it holds would be lost there.
    return { ...taken, outputs: [...taken.outputs, writer.unmerge({ ...unmerge, step: 'interrupted' })] };
  }
  const isOfLeaver = node.kind === 'root' && toMark(input) === leaving.number;
  const held = isOfLeaver ? undefined : toHeld(input, logTimeMs);
  if (held === undefined) return taken;
  const all: readonly HeldRecord[] = [...(before.held ?? []), held];
  const bytes = countBytes(all);
  if (bytes > HELD_BYTES_END)
    throw new AppError(
      'limit_exceeded',
      `${bytes} bytes of records are held for unmerge ${leaving.number}, which does not end`,
    );
  if (bytes <= HELD_BYTES_MAX || leaving.aborting) return { ...taken, after: { ...taken.after, held: all } };
  if (node.kind === 'root') {
    const outputs = [...taken.outputs, writer.unmerge({ ...unmerge, step: 'interrupted' })];
    return { after: withoutLeaving(taken.after), outputs };
  }
  const aborting = { ...node, leaving: { ...leaving, aborting: true } };
  const outputs = [...taken.outputs, writer.unmerge({ ...unmerge, step: 'abort' }, node.to)];
  return { after: { ...taken.after, node: aborting, held: all }, outputs };
}

function withoutLeaving({ node, profile }: ProfileInStore): ProfileInStore {
  const { leaving: _, ...rest } = node;
  return { node: rest, profile };
}

function isUnderWay<Node extends ProfileNode>(
  node: Node,
  { number, attempt }: Unmerge,
): node is Node & { readonly leaving: Leaving } {
  return node.leaving?.number === number && node.leaving.attempt === attempt;
}

/** What is under way goes on: only its own next attempt takes its place. Another number, or the same again, is forged. */
function requireNext({ leaving }: ProfileNode, { number, attempt }: Unmerge): void {
  if (leaving === undefined || (leaving.number === number && leaving.attempt < attempt)) return;
  const known = `attempt ${leaving.attempt} of unmerge ${leaving.number} is under way`;
  throw new AppError('contract_violation', `attempt ${attempt} of unmerge ${number} begins while ${known}`);
}

function toLeaving({ number, attempt, leaver, other }: Unmerge, context: StepContext): Leaving {
  const own = must(leaver, 'the profile that leaves');
  return { number, attempt, offset: context.offset, leaver: own, other, fill: toFillTag(context) };
}

function toFillTag({ inForce }: StepContext): string {
  return inForce.get('feature-fill')?.hash.slice(0, FILL_TAG_DIGITS) ?? '';
}

function toRoot(stored: StoredProfile | undefined): ProfileInStore & { readonly node: RootNode } {
  const { node, profile }: StoredNode<ProfileState> = toParts(stored);
  if (node.kind === 'root') return { node, profile };
  return { node: LONE_ROOT, profile };
}
