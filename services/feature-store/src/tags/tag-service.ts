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
import { encodeTag } from './tag-records.js';

/** How long a change by hand is waited for until the profile has it, and how often it is looked for. */
const APPLIED_WAIT_MS = 2_000;
const APPLIED_POLL_MS = 50;
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

  /** One change by hand; waits until the profile has it. */
  async change(asked: AskedTag): Promise<{ userId: string; tag: string; changed: boolean; applied: boolean }> {
    const [checked] = await this.#check([asked], 'manual');
    const { id, self, tag, given } = must(checked, 'the change');
    const { changed } = await this.#write([must(checked, 'the change')], 'manual');
    if (changed === 0) return { userId: id, tag, changed: false, applied: true };
    const untilMs = this.#clock.steadyMs() + APPLIED_WAIT_MS;
    for (;;) {
      const [profile] = await readJoined(this.#options.readStates, [self.key]);
      const isApplied = listGiven(profile?.state?.about?.tags).includes(tag) === given;
      if (isApplied || this.#clock.steadyMs() >= untilMs) return { userId: id, tag, changed: true, applied: isApplied };
      await this.#clock.wait(APPLIED_POLL_MS);
    }
  }

  /** Changes of a list, in its order; none is written where one has a problem. */
  async importAll(asked: readonly AskedTag[]): Promise<{ changed: number; unchanged: number }> {
    return this.#write(await this.#check(asked, 'imported'), 'imported');
  }

  /** Throws `contract_violation` with what is wrong with each, and `conflict` for a profile with too many tags. */
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

  async #write(checked: readonly CheckedTag[], kind: GivenKind): Promise<{ changed: number; unchanged: number }> {
    const { namespace, partitions, producer } = this.#options;
    const topic = toTopic(namespace, 'eventAccepted');
    const changes = dropUnchanged(checked);
    const records = changes.map(({ self, tag, given, owner }) => {
      const change: TagChange = { self, tag, given, kind, owner, atMs: this.#clock.now() };
      const key = Buffer.from(self.key);
      return { topic, partition: toPartition(self.key, partitions), key, value: encodeTag(change), headers: {} };
    });
    if (records.length > 0) await producer.send(records);
    return { changed: changes.length, unchanged: checked.length - changes.length };
  }
}

/** What a list would change, seen from the profiles as they are now. Throws `conflict` for one that would have too many tags. */
function dropUnchanged(checked: readonly CheckedTag[]): readonly CheckedTag[] {
  const tagsByKey = new Map<string, Set<string>>();
  return checked.filter(({ profile: { key, state }, id, tag, given }) => {
    const tags = tagsByKey.get(key) ?? new Set(listGiven(state?.about?.tags));
    tagsByKey.set(key, tags);
    if (tags.has(tag) === given) return false;
    if (!given) return tags.delete(tag);
    if (tags.size >= TAGS_MAX) throw new AppError('conflict', `${id} has ${TAGS_MAX} tags, and cannot have more`);
    return tags.add(tag);
  });
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
