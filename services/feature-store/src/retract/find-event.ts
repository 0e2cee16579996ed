import { type AcceptedEvent, AcceptedRecord, type ProfileRef, toPartition } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { toParts } from '@perennial/identity';
import type { LogRecord } from '@perennial/kafka';
import type { Output } from '@perennial/keyed-processor';
import { type ObservedStep, Recomputation } from '../audit/recompute.js';
import { foldEvent, toFeatureEvent } from '../domain/fold.js';
import { toSelf } from '../identity/identity-records.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { toFoldContext } from '../processor.js';
import type { ReadPartition } from './read-partition.js';

type Definition = ConstructorParameters<typeof Recomputation>[0];

export interface FindEventDeps {
  /** Of its own: what it counts is in no metric of the service. */
  readonly definition: Definition;
  readonly specs: FeatureSpecs;
  readonly partitions: number;
  readonly readPartition: ReadPartition;
  /** Ends the search. */
  readonly signal?: AbortSignal;
}

/** How an event was counted. */
interface Counted {
  /** Code of ISO 4217, and value of one unit; undefined where that was not known. */
  readonly currency: string;
  readonly rate: number | undefined;
  /** It had added only the amount of an order that had come before. */
  readonly amountOnly: boolean;
}

/** What the log has of a message id. */
export interface FoundEvent {
  /** The event under the key that it came with; undefined when it has not come. */
  readonly original: { readonly self: ProfileRef; readonly event: AcceptedEvent } | undefined;
  /** Undefined for an event that counts nowhere: it was a repeat, poison, or taken back before it came. */
  readonly counted: Counted | undefined;
  /** Copies of it that went to accounts. */
  readonly copies: ReadonlyArray<{ readonly key: string; readonly messageId: string }>;
  /** A record takes it back already, or will when it comes. */
  readonly isTakenBack: boolean;
}

/** Keys that an event was forwarded to and that are not its profile's any more: of profiles that were parted. */
const FORWARDS_MAX = 16;

/**
 * Finds an event by its message id under some keys of one profile, and whether and how it was counted, by the processor's own
 * code over the records of their partitions. Where several senders used the id, one that counts comes before others, then that
 * of the first key. Throws as `ReadPartition`, and why `signal` aborts.
 */
export async function findEvent(
  deps: FindEventDeps,
  { keys, messageId }: { readonly keys: readonly string[]; readonly messageId: string },
): Promise<FoundEvent> {
  const search = new Search(deps, { messageId, keys });
  const searched = new Set(keys);
  await searchKeys(deps, search, { keys: searched, messageId });
  while (search.isElsewhere && searched.size < keys.length + FORWARDS_MAX) {
    const others = search.forwardedTo.filter((key) => !searched.has(key));
    if (others.length === 0) break;
    for (const key of others) searched.add(key);
    await searchKeys(deps, search, { keys: new Set(others), messageId: undefined });
  }
  return search.found;
}

/** Whether the id is known to be taken back is asked of the profiles of `keys` alone, where there is a `messageId`. */
async function searchKeys(
  { definition, partitions, readPartition, signal }: FindEventDeps,
  search: Search,
  { keys, messageId }: { readonly keys: ReadonlySet<string>; readonly messageId: string | undefined },
): Promise<void> {
  const byPartition = new Map<number, string[]>();
  for (const key of keys) {
    const partition = toPartition(key, partitions);
    byPartition.set(partition, [...(byPartition.get(partition) ?? []), key]);
  }
  for (const [partition, own] of byPartition) {
    const again = new Recomputation(definition, new Set(own), (step) => search.observe(step));
    await readPartition(partition, (records: readonly LogRecord[]) => again.take(records), signal);
    if (messageId === undefined) continue;
    for (const key of own) {
      if (search.knows(again.read(key).stored)) search.isRemembered = true;
    }
  }
}

/** What is found of the event of one sender: two that were one profile for a while may have sent one message id. */
interface Tracked {
  original: FoundEvent['original'];
  counted: Counted | undefined;
  readonly copies: Array<FoundEvent['copies'][number]>;
  readonly forwardedTo: string[];
  /** Keys at which a record took it back, and it has not been counted since. */
  readonly takenBackAt: Set<string>;
}

class Search {
  readonly #deps: FindEventDeps;
  readonly #messageId: string;
  readonly #keys: readonly string[];
  readonly #bySender = new Map<string, Tracked>();
  /** By key, the sender whose event was counted there last. */
  readonly #countedAt = new Map<string, Tracked>();
  /**
   * By key where an event took it back (another one of its order, cancelled or newer), whose it took back; undefined where none
   * was counted at that key, so that it may be anyone's.
   */
  readonly #correctedAt = new Map<string, Tracked | undefined>();
  /** A state knows that it is taken back. */
  isRemembered = false;

  constructor(
    deps: FindEventDeps,
    { messageId, keys }: { readonly messageId: string; readonly keys: readonly string[] },
  ) {
    this.#deps = deps;
    this.#messageId = messageId;
    this.#keys = keys;
  }

  get found(): FoundEvent {
    const { original, counted, copies } = this.#chosen;
    return { original, counted, copies, isTakenBack: this.#isTakenBack };
  }

  get forwardedTo(): readonly string[] {
    return this.#chosen.forwardedTo;
  }

  /**
   * Of the keys that are asked for, in their order, the first that counts, else the first; else one that was only forwarded
   * there.
   */
  get #chosen(): Tracked {
    const originals = [...this.#bySender.values()].filter(({ original }) => original !== undefined);
    const own = this.#keys.flatMap((key) => originals.filter(({ original }) => original?.self.key === key));
    return own.find(({ counted }) => counted !== undefined) ?? own[0] ?? originals[0] ?? createTracked();
  }

  /** A state forgets, after 256 others: the log does not. */
  get #isTakenBack(): boolean {
    const chosen = this.#chosen;
    if (this.isRemembered || chosen.takenBackAt.size > 0) return true;
    const isCorrected = [...this.#correctedAt.values()].some((sender) => sender === undefined || sender === chosen);
    return chosen.counted !== undefined && isCorrected;
  }

  /** It came, and was counted under a key that was not searched. */
  get isElsewhere(): boolean {
    const { original, counted } = this.#chosen;
    return original !== undefined && counted === undefined && !this.#isTakenBack;
  }

  observe({ item, evidence, result }: ObservedStep): void {
    const { cause, state, context } = item;
    if (cause.kind !== 'record') return;
    const { input } = cause;
    if ('retraction' in input) {
      const { messageId, original } = input.retraction;
      // One without its event holds only for as long as a state remembers it.
      if (messageId !== this.#messageId || original === undefined || result.state === state) return;
      this.#track(original).takenBackAt.add(context.key);
      return;
    }
    if (!('event' in input)) return;
    const { event } = input;
    if (event.messageId !== this.#messageId) {
      if (!this.knows(state) && this.knows(result.state))
        this.#correctedAt.set(context.key, this.#countedAt.get(context.key));
      return;
    }
    const tracked = this.#track(event);
    if (event.forwardedTo === undefined || event.memberKey !== undefined) {
      tracked.original ??= { self: toSelf(context.key, event), event };
    }
    const { node, profile } = toParts(state);
    // What a joined profile forwards counts where it goes.
    if (node.kind !== 'root') {
      tracked.forwardedTo.push(...result.outputs.flatMap(({ key }) => (key === undefined ? [] : [key])));
      return;
    }
    const folded = foldEvent(profile, input, toFoldContext(this.#deps.specs, context, evidence));
    if (folded.kind === 'repeated') return;
    tracked.takenBackAt.delete(context.key);
    this.#countedAt.set(context.key, tracked);
    const corrected = this.#correctedAt.get(context.key);
    if (corrected === undefined || corrected === tracked) this.#correctedAt.delete(context.key);
    const { rate, currency = '' } = toFeatureEvent(input, evidence.rates);
    tracked.counted ??= {
      currency,
      rate: rate ?? undefined,
      amountOnly: folded.known === 'order_without_amount',
    };
    tracked.copies.push(...result.outputs.flatMap((output) => toCopies(output, this.#deps.definition.inputTopic)));
  }

  /** Whether a state has the message as one that was taken back. */
  knows(stored: StoredProfile | undefined): boolean {
    const engine = toParts(stored).profile?.engine;
    return (
      engine?.corrections !== undefined && this.#deps.specs.get(engine.specHash).isTakenBack(engine, this.#messageId)
    );
  }

  /** By the sealed id under which the event came, which its copies keep. */
  #track({ anonymous, subject }: AcceptedEvent): Tracked {
    const sender = `${anonymous} ${subject.toString('base64')}`;
    const tracked = this.#bySender.get(sender) ?? createTracked();
    this.#bySender.set(sender, tracked);
    return tracked;
  }
}

function createTracked(): Tracked {
  return { original: undefined, counted: undefined, copies: [], forwardedTo: [], takenBackAt: new Set() };
}

/** The copy of the event for an account, if the output is one. */
function toCopies({ topic, key, value }: Output, inputTopic: string): FoundEvent['copies'] {
  if (topic !== inputTopic || key === undefined) return [];
  const { record } = AcceptedRecord.decode(value);
  if (record?.$case !== 'event' || record.value.memberKey === undefined) return [];
  return [{ key, messageId: record.value.messageId }];
}
