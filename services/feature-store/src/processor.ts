import { AMOUNT_MAX, type RateTable } from '@perennial/commerce';
import {
  type AcceptedEvent,
  AcceptedRecord,
  encodeControl,
  encodeMessage,
  FeatureRecord,
  type FeaturesUpdated,
  PROCESSORS,
  toControl,
  toTopic,
  toUpstream,
} from '@perennial/contracts';
import type { EngineState, FeatureSpecs } from '@perennial/feature-engine';
import type { IdentityRules } from '@perennial/identity';
import { AppError, must, unreachable } from '@perennial/kernel';
import type { Decoded, Output, ProcessorDefinition, StepContext, StepItem } from '@perennial/keyed-processor';
import type { FeatureArtifacts } from './artifacts.js';
import { needsPart } from './domain/fill.js';
import { type FeatureInput, type FoldContext, foldEvent, foldTime } from './domain/fold.js';
import {
  createProfileStates,
  hadEvents,
  type ProfileState,
  SUBJECT_BYTES_MAX,
  TIME_MS_MAX,
  TIME_ZONE_BYTES_MAX,
} from './domain/profile-state.js';
import { isFilling, type LoadedFill } from './fill/fills.js';
import type { LoadedUnmerge } from './identity/unmerge-document.js';
import type { FeatureTelemetry } from './telemetry.js';

/** Name in the consumer group and the Redis keys; readers of profiles need it too. */
export const PROCESSOR_NAME = 'feature-store';

/** What a step needs of the artifacts in force. */
export interface FeatureEvidence {
  readonly rates: RateTable;
  /** Absent for those before any rollout. */
  readonly identity?: IdentityRules;
  readonly fill?: LoadedFill | undefined;
  /** What the profile has yet to take of the fill. */
  readonly part?: EngineState | undefined;
  /** What a profile that is handed over has yet to take. */
  readonly joinedPart?: EngineState | undefined;
  /** The same of each record that is held for the end of an unmerge; undefined for most. */
  readonly heldParts?: ReadonlyArray<EngineState | undefined> | undefined;
  /** What the archive gives, of a record that parts two profiles. */
  readonly unmerge?: LoadedUnmerge | undefined;
}

/** `event.accepted` -> profile state -> `feature.updated`: the definition that the keyed processor runs. */
export function createFeatureProcessor({
  namespace,
  artifacts,
  telemetry,
  specs,
}: {
  namespace: string;
  artifacts: Pick<FeatureArtifacts, 'loadRollout' | 'rates' | 'identity' | 'fills'>;
  telemetry: FeatureTelemetry;
  specs: FeatureSpecs;
}): ProcessorDefinition<ProfileState, FeatureInput, FeatureEvidence> {
  const inputTopic = toTopic(namespace, PROCESSORS[PROCESSOR_NAME].input);
  const outputTopic = toTopic(namespace, 'featureUpdated');
  const toOutput = (update: FeaturesUpdated) => toUpdatedOutput(outputTopic, update);

  return {
    name: PROCESSOR_NAME,
    inputTopic,
    sources: [
      ...toUpstream(namespace, PROCESSOR_NAME),
      { processor: PROCESSOR_NAME, topic: inputTopic, partition: 'any' },
    ],
    codec: { ...createProfileStates(specs), timerAtMs: (state) => state.validUntilMs },
    decode: (record) => decodeAccepted(record.key, record.value),
    forward: (control) => ({ topic: outputTopic, value: encodeControl(FeatureRecord, control) }),
    loadRollout: artifacts.loadRollout,
    async prepare(items) {
      const loaded = await loadInForce(items, artifacts);
      const ownOf = ({ context }: StepItem<ProfileState, unknown>) => must(loaded.get(context.inForce), 'loaded');
      // Nearly always: no promise for each record.
      if (!items.some(({ context }) => context.inForce.has('feature-fill'))) return items.map(ownOf);
      return Promise.all(items.map((item) => prepareItem(item, ownOf(item), artifacts)));
    },
    step({ state, cause, context }, evidence) {
      const fold = toFoldContext(specs, context, evidence);
      switch (cause.kind) {
        case 'record': {
          const result = foldEvent(state, cause.input, fold);
          if (result.kind === 'repeated') {
            telemetry.repeated(result);
            if (result.said === undefined) return { state, outputs: [] };
            return { state: result.said.state, outputs: [toOutput(result.said.update)] };
          }
          const made = specs.get(result.state.engine.specHash);
          telemetry.folded({ before: state?.engine, after: result.state.engine, spec: made, result });
          return { state: result.state, outputs: [toOutput(result.update)] };
        }
        case 'timer': {
          if (state === undefined) return { state, outputs: [] };
          const moved = foldTime(state, fold);
          // Without behaviour it has no stage: a feature of outcomes that moves is no news.
          return { state: moved.state, outputs: hadEvents(state) ? [toOutput(moved.update)] : [] };
        }
        default:
          return unreachable(cause);
      }
    },
  };
}

/** What folding needs of the artifacts in force. */
export function toFoldContext(
  specs: FeatureSpecs,
  { inForce, logTimeMs }: Pick<StepContext, 'inForce' | 'logTimeMs'>,
  { rates, fill, part }: FeatureEvidence,
): FoldContext {
  const spec = specs.inForce(inForce.get('features'));
  return { spec, specs, rates, logTimeMs, isFilling: isFilling(inForce, fill), fill, part };
}

type InForce = StepContext['inForce'];

/** What the items of a batch have in force alike: they come from the cache, since artifacts were loaded with their rollouts. */
async function loadInForce(
  items: ReadonlyArray<StepItem<ProfileState, unknown>>,
  { rates, identity }: Pick<FeatureArtifacts, 'rates' | 'identity'>,
): Promise<ReadonlyMap<InForce, FeatureEvidence>> {
  const loaded = new Map<InForce, FeatureEvidence>();
  for (const inForce of new Set(items.map(({ context }) => context.inForce))) {
    const evidence = { rates: await rates(inForce.get('rates')), identity: await identity(inForce.get('identity')) };
    loaded.set(inForce, evidence);
  }
  return loaded;
}

/** A part of a fill is loaded once a profile. */
async function prepareItem(
  { state, context }: StepItem<ProfileState, unknown>,
  own: FeatureEvidence,
  { fills }: Pick<FeatureArtifacts, 'fills'>,
): Promise<FeatureEvidence> {
  const { inForce, key } = context;
  if (!inForce.has('feature-fill')) return own;
  const fill = await fills.get(inForce);
  const part = fill !== undefined && needsPart(state, fill) ? await fills.loadPart(fill, key) : undefined;
  return { ...own, fill, part };
}

/** A profile's whole vector as a record. */
export function toUpdatedOutput(topic: string, update: FeaturesUpdated): Output {
  return { topic, value: encodeMessage(FeatureRecord, { record: { $case: 'updated', value: update } }) };
}

/** Decodes a record of `event.accepted`; throws when it is not valid. */
export function decodeAccepted(key: Buffer | null, value: Buffer | null): Decoded<FeatureInput> {
  if (value === null) throw new AppError('contract_violation', 'record without a value');
  const { record } = AcceptedRecord.decode(value);
  const control = toControl(record);
  if (control !== undefined) return control;
  if (record?.$case !== 'event') throw new AppError('contract_violation', 'record is neither event, tick nor rollout');
  if (key === null || key.length === 0) throw new AppError('contract_violation', 'event without a profile key');
  requireUsable(record.value);
  return {
    kind: 'record',
    key: key.toString(),
    input: { event: record.value, properties: parseProperties(record.value.propertiesJson) },
  };
}

/**
 * Throws for an event that ingest does not write. A state that cannot be stored, or a step that takes for ever, would stop the partition, where
 * a dead letter does not.
 */
export function requireUsable({ timeZone, subject, timestampMs, receivedAtMs, amount = 0 }: AcceptedEvent): void {
  const problem =
    Buffer.byteLength(timeZone) > TIME_ZONE_BYTES_MAX || subject.length > SUBJECT_BYTES_MAX
      ? 'a time zone or a sealed id that is too long'
      : [timestampMs, receivedAtMs].some((ms) => ms < 0 || ms > TIME_MS_MAX)
        ? 'a time that is not between 1970 and 2100'
        : timestampMs > receivedAtMs
          ? 'a time after it was received'
          : Math.abs(amount) <= AMOUNT_MAX
            ? undefined
            : 'an amount beyond what counts as one';
  if (problem !== undefined) throw new AppError('contract_violation', `event with ${problem}`);
}

function parseProperties(json: Buffer): unknown {
  return json.length === 0 ? {} : (JSON.parse(json.toString()) as unknown);
}
