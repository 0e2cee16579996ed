import type { ArtifactStore } from '@perennial/artifacts';
import { INITIAL_RATES } from '@perennial/commerce';
import { type Rollout, toTopic, toUpstream } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, type FeatureEvent, FeatureSpecs } from '@perennial/feature-engine';
import type { ProfileRef } from '@perennial/identity';
import { createLogReader, type LogReader } from '@perennial/keyed-processor';
import { createFeatureArtifacts } from './artifacts.js';
import { type FeatureInput, toFeatureEvent } from './domain/fold.js';
import type { judgeOutliers } from './domain/outliers.js';
import type { RetractedEvent } from './domain/take-back.js';
import { decodeIdentityInput, type IdentityInput } from './identity/identity-records.js';
import { decodeAccepted, PROCESSOR_NAME } from './processor.js';
import { decodeRetraction, type RetractionInput } from './retract/retraction-record.js';

/** What `judgeOutliers` reads of an event besides its properties. */
type PlannedEvent = Parameters<typeof judgeOutliers>[1];

/** A record that counts, as a reader of the archive needs it. */
export type ArchivedEntry =
  | { readonly kind: 'tick'; readonly timeMs: number }
  | {
      readonly kind: 'event';
      readonly key: string;
      readonly event: FeatureEvent;
      readonly receivedAtMs: number;
      /** What its values are to be compared with what the profile had before; absent for those of no plan. */
      readonly planned?: PlannedEvent | undefined;
    }
  /** An event of the profile is taken back, as `CompiledFeatures.takeBack` does it. */
  | { readonly kind: 'taken_back'; readonly key: string; readonly retracted: RetractedEvent }
  /** The profile is asked to join another one: what comes of it `JoinedKeys.join` decides. */
  | {
      readonly kind: 'join';
      readonly key: string;
      readonly join: { readonly self: ProfileRef; readonly target: ProfileRef; readonly change?: number | undefined };
    }
  /** The profile has left another one, as of `JoinedKeys.part`. */
  | { readonly kind: 'parted'; readonly key: string; readonly other: string };

/**
 * Reads a partition's archived records as this service does: repeats, poison and rejected rollouts are left out, and
 * amounts are at the rates in force. So are the copies of events that joined profiles got: an event is read once, under
 * the key that it came with. Throws as the artifact store when a rate table is not there.
 */
export class ArchiveReader {
  readonly #artifacts: ReturnType<typeof createFeatureArtifacts>;
  readonly #reader: LogReader<FeatureInput | IdentityInput | RetractionInput>;
  #rates = INITIAL_RATES;

  constructor(namespace: string, store: Pick<ArtifactStore, 'load' | 'list'>) {
    this.#artifacts = createFeatureArtifacts(store, { specs: new FeatureSpecs(ECOMMERCE_FEATURES) });
    const inputTopic = toTopic(namespace, 'eventAccepted');
    this.#reader = createLogReader<FeatureInput | IdentityInput | RetractionInput>({
      name: PROCESSOR_NAME,
      inputTopic,
      sources: [
        ...toUpstream(namespace, PROCESSOR_NAME),
        { processor: PROCESSOR_NAME, topic: inputTopic, partition: 'any' },
      ],
      decode: (record) =>
        decodeIdentityInput(record) ?? decodeRetraction(record) ?? decodeAccepted(record.key, record.value),
      // Which spec or model was in force does not matter to a reader that brings its own.
      loadRollout: async (rollout, inForce) =>
        rollout.kind === 'rates' ? this.#artifacts.loadRollout(rollout, inForce) : undefined,
    });
  }

  /** The next records, in order. */
  async read(records: Parameters<LogReader<never>['read']>[0]): Promise<ArchivedEntry[]> {
    const entries: ArchivedEntry[] = [];
    for (const { decoded } of await this.#reader.read(records)) {
      if (decoded.kind === 'tick') entries.push({ kind: 'tick', timeMs: decoded.timeMs });
      else if (decoded.kind === 'rollout') await this.#takeRates(decoded.rollout);
      else if ('identity' in decoded.input) {
        const entry = toJoin(decoded.input);
        if (entry !== undefined) entries.push(entry);
      } else if ('retraction' in decoded.input) {
        const { key, input } = decoded;
        if (!input.retraction.copy) entries.push({ kind: 'taken_back', key, retracted: input });
      } else if (!('account' in decoded.input) && decoded.input.event.forwardedTo === undefined) {
        const { key, input } = decoded;
        const event = toFeatureEvent(input, this.#rates);
        const planned = (input.event.plan?.outliers.length ?? 0) > 0 ? input.event : undefined;
        entries.push({ kind: 'event', key, event, receivedAtMs: input.event.receivedAtMs, planned });
      }
    }
    return entries;
  }

  async #takeRates(rollout: Rollout): Promise<void> {
    if (rollout.kind === 'rates') this.#rates = await this.#artifacts.rates(rollout);
  }
}

/** Undefined for records that change no path: what is sent and merged follows from those that do. */
function toJoin({ identity, self }: IdentityInput): ArchivedEntry | undefined {
  const { key } = self;
  if (identity.kind === 'join') {
    const { target, change } = identity.join;
    return target && { kind: 'join', key, join: { self, target, change } };
  }
  if (identity.kind !== 'unmerge' || identity.unmerge.step !== 'left') return undefined;
  return { kind: 'parted', key, other: identity.unmerge.other };
}
