import { type AcceptedEvent, type ProfileRef, type Retraction, toPartition, toTopic } from '@perennial/contracts';
import { toParts } from '@perennial/identity';
import type { LogProducer, OutgoingRecord } from '@perennial/kafka';
import { AppError, type Clock, Mutex, must, systemClock } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import { readJoined } from '../identity/read-joined.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import { type FindEventDeps, type FoundEvent, findEvent } from './find-event.js';
import { encodeRetraction } from './retraction-record.js';

/** How long a record is waited for until it has its effect, and how often that is looked for. */
const TAKEN_WAIT_MS = 30_000;
const TAKEN_POLL_MS = 100;
/** Requests at a time, with the one that is served; each may read whole partitions. */
const REQUESTS_MAX = 16;

export interface RetractorDeps extends Omit<FindEventDeps, 'signal'> {
  readonly namespace: string;
  readonly readStates: ReadStates<StoredProfile>;
  readonly loadSpecs: () => Promise<void>;
  readonly producer: Pick<LogProducer, 'send'>;
  readonly clock?: Clock;
}

/** Which event is to be taken back, and who says so. */
export interface RetractionRequest {
  readonly profile: ProfileRef;
  readonly messageId: string;
  readonly by: string;
  readonly reason: string;
  /** An event that has not come is not to count when it comes; else there must be one. */
  readonly early: boolean;
}

export interface RetractionAnswer {
  readonly profileKey: string;
  readonly messageId: string;
  /**
   * `taken_back` now, or `repeated`: it was before. `early`: it will not count when it comes. `not_counted`: it is in the log and
   * had added nothing, being a repeat or poison.
   */
  readonly result: 'taken_back' | 'repeated' | 'early' | 'not_counted';
  /** Null for an event that has not come. */
  readonly event: { readonly type: string; readonly name: string; readonly at: string } | null;
  /** Features of the profile that still have an event that was taken back, this one or another. */
  readonly inexact: readonly string[];
}

/** Takes events back by their message ids: one after the other, since each reads its partition. */
export class Retractor {
  readonly #deps: RetractorDeps & FindEventDeps;
  readonly #clock: Clock;
  readonly #mutex = new Mutex();
  readonly #stopping = new AbortController();
  #requests = 0;

  constructor(deps: RetractorDeps) {
    this.#deps = { ...deps, signal: this.#stopping.signal };
    this.#clock = deps.clock ?? systemClock;
  }

  /**
   * Throws `not_found` for an id that no event of the profile has, and a retriable `dependency_unavailable` when the record is
   * written and the processor has not taken it yet, or the process stops: asking again is safe. The same for a retriable
   * `resource_exhausted` when too many wait.
   */
  async retract(request: RetractionRequest): Promise<RetractionAnswer> {
    if (this.#requests >= REQUESTS_MAX) {
      throw new AppError('resource_exhausted', 'too many events are being taken back at a time', { retriable: true });
    }
    this.#requests += 1;
    try {
      return await this.#mutex.run(() => this.#retract(request));
    } finally {
      this.#requests -= 1;
    }
  }

  /** Requests that wait or are served fail, those that come later too. */
  stop(): void {
    this.#stopping.abort(new AppError('dependency_unavailable', 'this process stops', { retriable: true }));
  }

  async #retract(request: RetractionRequest): Promise<RetractionAnswer> {
    const { profile, messageId } = request;
    this.#stopping.signal.throwIfAborted();
    await this.#deps.loadSpecs();
    const root = await this.#readRoot(profile.key);
    const { node } = toParts(must((await this.#deps.readStates([root.key]))[0], 'a read').state);
    const named = node.kind === 'root' ? node.members.map(({ key }) => key) : [];
    // One that was asked, or that has left, may have an event of its own with this id.
    const roots = await readJoined(this.#deps.readStates, named);
    const members = named.filter((_, index) => roots[index]?.key === root.key);
    const found = await findEvent(this.#deps, { keys: [profile.key, root.key, ...members], messageId });
    const { original } = found;
    const isOwn = original !== undefined && (await this.#readRoot(original.self.key)).key === root.key;
    if (!isOwn && !request.early) {
      throw new AppError('not_found', `no event of this profile has the message id ${messageId}`);
    }
    const records = isOwn ? await this.#toRecords(request, found) : found.isTakenBack ? [] : [this.#toEarly(request)];
    if (records.length > 0) await this.#deps.producer.send(records.map((one) => this.#toOutgoing(one)));
    const isWaited = records.some(({ copy }) => !copy);
    const inexact = await this.#readInexact(profile.key, isWaited ? messageId : undefined);
    const result = found.isTakenBack
      ? 'repeated'
      : !isOwn
        ? 'early'
        : records.length > 0
          ? 'taken_back'
          : 'not_counted';
    return { profileKey: root.key, messageId, result, event: isOwn ? describe(original.event) : null, inexact };
  }

  #toEarly({ profile, messageId, by, reason }: RetractionRequest): Retraction {
    const asked = { by, reason, askedAtMs: this.#clock.now() };
    return { ...asked, self: profile, messageId, original: undefined, amountOnly: false, currency: '', copy: false };
  }

  /** For the profile, and for each account that counted a copy; those that the log has already are left out. */
  async #toRecords({ by, reason }: RetractionRequest, found: FoundEvent): Promise<Retraction[]> {
    const asked = { by, reason, askedAtMs: this.#clock.now() };
    const records = toRecord(found, { ...asked, copy: false });
    for (const { key, messageId } of found.copies) {
      const copy = await findEvent(this.#deps, { keys: [key], messageId });
      records.push(...toRecord(copy, { ...asked, copy: true }));
    }
    return records;
  }

  #toOutgoing(retraction: Retraction): OutgoingRecord {
    const { namespace, partitions } = this.#deps;
    const { key } = must(retraction.self, 'a profile');
    const topic = toTopic(namespace, 'eventAccepted');
    const at = { topic, partition: toPartition(key, partitions), key: Buffer.from(key), headers: {} };
    return { ...at, value: encodeRetraction(retraction) };
  }

  async #readRoot(key: string) {
    return must((await readJoined(this.#deps.readStates, [key]))[0], 'a profile');
  }

  /** Once the profile knows that the event is taken back. */
  async #readInexact(key: string, messageId: string | undefined): Promise<readonly string[]> {
    const { specs } = this.#deps;
    const untilMs = this.#clock.steadyMs() + TAKEN_WAIT_MS;
    for (;;) {
      const { state, logTimeMs } = await this.#readRoot(key);
      const made = state && specs.get(state.engine.specHash);
      const isTaken = messageId === undefined || made?.isTakenBack(state?.engine ?? made.empty, messageId);
      if (isTaken) {
        if (state === undefined || made === undefined) return [];
        return made.listInexact(state.engine, Math.max(logTimeMs, state.engine.asOfMs));
      }
      if (this.#clock.steadyMs() >= untilMs) {
        const message = 'the record is written, but the profile still has the event: ask again';
        throw new AppError('dependency_unavailable', message, { retriable: true });
      }
      await this.#clock.wait(TAKEN_POLL_MS, this.#stopping.signal);
      this.#stopping.signal.throwIfAborted();
    }
  }
}

/** None for an event that counts nowhere, or that a record takes back already. */
function toRecord(
  { original, counted, isTakenBack }: FoundEvent,
  asked: Pick<Retraction, 'by' | 'reason' | 'askedAtMs' | 'copy'>,
): Retraction[] {
  if (original === undefined || counted === undefined || isTakenBack) return [];
  const { self, event } = original;
  const { rate, amountOnly, currency } = counted;
  const known = { self, messageId: event.messageId, original: event, amountOnly, currency };
  return [{ ...asked, ...known, ...(rate === undefined ? {} : { rate }) }];
}

function describe({ type, name, timestampMs }: AcceptedEvent) {
  return { type, name, at: new Date(timestampMs).toISOString() };
}
