import { type ProfileRef, type Rollout, type TagChange, toPartition, toTopic } from '@perennial/contracts';
import { findNearest } from '@perennial/expressions';
import { ID_STRENGTHS } from '@perennial/identity';
import type { LogProducer } from '@perennial/kafka';
import { AppError, type Clock, must, systemClock } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import { type Pseudonymizer, parseUserId } from '@perennial/privacy';
import {
  type DescribedTag,
  type DescribedTagChange,
  describeAbout,
  describeTagHistory,
  type GivenKind,
  listGiven,
  NOTHING_KNOWN,
  TAGS_MAX,
} from '@perennial/traits';
import { type ReadProfile, readJoined } from '../identity/read-joined.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { CurrentPartitions, type TagPositions } from './current-partitions.js';
import { encodeTag } from './tag-records.js';

/**
 * How long a profile is waited for, and how often it is looked at: until it has a change by hand, or has room for a tag. What was read may
 * be older than what was written.
 */
const PROFILE_WAIT_MS = 2_000;
const PROFILE_POLL_MS = 50;
/** Of a list with a thousand problems the first ones are named. */
const PROBLEMS_MAX = 20;

/** The tags that may be given, with their kinds, by the file of segments in force. */
export type LoadDeclaredTags = (segments: Rollout | undefined) => Promise<ReadonlyMap<string, GivenKind>>;

/** A change that somebody asks for; `field` is where it stands in what was sent, '' for one by itself. */
export interface AskedTag {
  readonly field: string;
  readonly userId: string | number;
  readonly tag: string;
  readonly given: boolean;
  readonly owner: string;
}

export interface TagServiceOptions {
  readonly namespace: string;
  readonly partitions: number;
  readonly readStates: ReadStates<StoredProfile>;
  readonly pseudonymizer: Pseudonymizer;
  readonly loadDeclared: LoadDeclaredTags;
  readonly producer: Pick<LogProducer, 'send'>;
  readonly positions: TagPositions;
  readonly clock?: Clock;
}

interface TagsOfUser {
  readonly userId: string;
  readonly profileKey: string;
  readonly tags: DescribedTag[];
  /** The newest first. */
  readonly history: DescribedTagChange[];
}

interface CheckedTag extends AskedTag {
  readonly id: string;
  readonly profile: ReadProfile;
  readonly self: ProfileRef;
}

/** Reads tags that were given, and writes changes of them as records of the log. */
export class TagService {
  readonly #options: TagServiceOptions;
  readonly #clock: Clock;

  constructor(options: TagServiceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async read(userId: string): Promise<TagsOfUser> {
    const { readStates, pseudonymizer } = this.#options;
    const [profile] = await readJoined(readStates, [pseudonymizer.toProfileKey({ userId })]);
    const { key, state } = must(profile, 'the profile asked for');
    const about = state?.about ?? NOTHING_KNOWN;
    const history = [...describeTagHistory(about.tags ?? [])];
    return { userId, profileKey: key, tags: [...describeAbout(about).tags], history };
  }

  /**
   * One change by hand; waits until the profile has it. It is written also where the profile seems to be so already: an
   * earlier change may be on its way. `changed` tells what was seen; `applied` is false where the profile lags. Throws as
   * `importAll`, and `conflict` also where others wrote before and left no room.
   */
  async change(asked: AskedTag): Promise<{ userId: string; tag: string; changed: boolean; applied: boolean }> {
    const { checked, changed } = await this.#findRoom([asked], 'manual');
    const change = must(checked[0], 'the change');
    await this.#write(checked, 'manual');
    const answer = { userId: change.id, tag: change.tag, changed: changed > 0 };
    const current = new CurrentPartitions(this.#options.positions);
    const untilMs = this.#clock.steadyMs() + PROFILE_WAIT_MS;
    for (;;) {
      await current.look();
      const [profile] = await readJoined(this.#options.readStates, [change.self.key]);
      const tags = listGiven(profile?.state?.about?.tags);
      const isApplied = tags.includes(change.tag) === change.given;
      if (isApplied) return { ...answer, applied: true };
      const isFull = profile !== undefined && change.given && tags.length >= TAGS_MAX;
      if (isFull && (await current.includes(this.#toPartitions({ ...change, profile }))))
        throw new AppError(
          'conflict',
          `${change.id} has ${TAGS_MAX} tags: others came first, and this one has no room`,
        );
      if (this.#clock.steadyMs() >= untilMs) return { ...answer, applied: false };
      await this.#clock.wait(PROFILE_POLL_MS);
    }
  }

  /**
   * Changes of a list, in its order: all are written, or none where one has a problem. The numbers are of the profiles as they were
   * seen. Throws `contract_violation`; `conflict` where a profile has too many tags, after all records that the log had when that was seen; and
   * a retriable `dependency_unavailable` where that cannot be said, since its state lags. Nothing is written then.
   */
  async importAll(asked: readonly AskedTag[]): Promise<{ changed: number; unchanged: number }> {
    const { checked, changed } = await this.#findRoom(asked, 'imported');
    await this.#write(checked, 'imported');
    return { changed, unchanged: checked.length - changed };
  }

  /**
   * Looks again at a profile that seems to be full until its state has all that the log had: tags that were just taken away
   * may make room. So the order of the log decides, and not how far the state lags.
   */
  async #findRoom(asked: readonly AskedTag[], kind: GivenKind) {
    const current = new CurrentPartitions(this.#options.positions);
    const untilMs = this.#clock.steadyMs() + PROFILE_WAIT_MS;
    for (;;) {
      await current.look();
      const checked = await this.#check(asked, kind);
      const { changed, full } = countChanged(checked);
      if (full === undefined) return { checked, changed };
      if (await current.includes(this.#toPartitions(full)))
        throw new AppError('conflict', `${full.id} has ${TAGS_MAX} tags, and cannot have more`);
      if (this.#clock.steadyMs() >= untilMs) {
        const seems = `${full.id} seems to have ${TAGS_MAX} tags, and its state is behind the log`;
        throw new AppError('dependency_unavailable', `${seems}: nothing is written, ask again`, { retriable: true });
      }
      await this.#clock.wait(PROFILE_POLL_MS);
    }
  }

  /** Where changes of a profile go: to its own key, and on to the profile that it has joined. */
  #toPartitions({ self, profile }: Pick<CheckedTag, 'self' | 'profile'>): readonly number[] {
    return [self.key, profile.key].map((key) => toPartition(key, this.#options.partitions));
  }

  /** Throws `contract_violation` with what is wrong with each. */
  async #check(asked: readonly AskedTag[], kind: GivenKind): Promise<readonly CheckedTag[]> {
    const { readStates, pseudonymizer, loadDeclared } = this.#options;
    const ids = asked.map(({ userId, field }) => parseUserId(userId, field === '' ? 'userId' : `${field}/userId`));
    const keys = ids.map((userId) => pseudonymizer.toProfileKey({ userId }));
    const profiles = await readJoined(readStates, keys);
    const problems: string[] = [];
    const checked: CheckedTag[] = [];
    for (const [index, change] of asked.entries()) {
      const profile = must(profiles[index], 'a profile');
      const declared = await loadDeclared(profile.inForce.get('segments'));
      const problem = findProblem(change, kind, declared);
      if (problem !== undefined) problems.push(change.field === '' ? problem : `${change.field}/tag: ${problem}`);
      const id = must(ids[index], 'an id');
      const self = { key: must(keys[index], 'a key'), strength: ID_STRENGTHS.user, subject: pseudonymizer.seal(id) };
      checked.push({ ...change, id, profile, self });
    }
    if (problems.length === 0) return checked;
    const more = problems.length > PROBLEMS_MAX ? [`and ${problems.length - PROBLEMS_MAX} more`] : [];
    throw new AppError('contract_violation', [...problems.slice(0, PROBLEMS_MAX), ...more].join('; '));
  }

  /** All of them: only the step knows what a change changes, since what was read may lag behind what is written. */
  async #write(checked: readonly CheckedTag[], kind: GivenKind): Promise<void> {
    const { namespace, partitions, producer } = this.#options;
    const topic = toTopic(namespace, 'eventAccepted');
    const records = checked.map(({ self, tag, given, owner }) => {
      const change: TagChange = { self, tag, given, kind, owner, atMs: this.#clock.now() };
      const key = Buffer.from(self.key);
      return { topic, partition: toPartition(self.key, partitions), key, value: encodeTag(change), headers: {} };
    });
    if (records.length > 0) await producer.send(records);
  }
}

/** How many changes of a list would change something in the profiles as they were read, and who would have too many tags. */
function countChanged(checked: readonly CheckedTag[]): { changed: number; full: CheckedTag | undefined } {
  const tagsByKey = new Map<string, Set<string>>();
  let changed = 0;
  for (const change of checked) {
    const { profile, tag, given } = change;
    const tags = tagsByKey.get(profile.key) ?? new Set(listGiven(profile.state?.about?.tags));
    tagsByKey.set(profile.key, tags);
    if (tags.has(tag) === given) continue;
    if (given && tags.size >= TAGS_MAX) return { changed, full: change };
    if (given) tags.add(tag);
    else tags.delete(tag);
    changed += 1;
  }
  return { changed, full: undefined };
}

/** A tag of another kind may be taken away by hand, but only a list gives one of kind imported. */
function findProblem(
  { tag, given }: AskedTag,
  kind: GivenKind,
  declared: ReadonlyMap<string, GivenKind>,
): string | undefined {
  const found = declared.get(tag);
  if (found === undefined) {
    const nearest = findNearest(tag, declared.keys());
    const hint = nearest === undefined ? '' : `, did you mean "${nearest}"?`;
    return `"${tag}" is no tag of kind manual or imported in the segments in force${hint}`;
  }
  if (found === kind || (!given && kind === 'manual')) return undefined;
  return kind === 'manual'
    ? `"${tag}" is of kind imported: a list gives it, see tags import`
    : `"${tag}" is of kind manual: it is given one by one, see tags add`;
}
