import {
  encodeMessage,
  FeatureRecord,
  type FeaturesUpdated,
  type Joined,
  ScoreRecord,
  toFirstField,
} from '@perennial/contracts';
import { createJoinedStates, readJoined, type Stored, toParts } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import type { Output, ProcessorDefinition, ReadStates, StepResult } from '@perennial/keyed-processor';
import { type OwnItem, wrapProcessor } from '@perennial/processor-host';
import { leaveSegments } from '@perennial/segments';
import type { ScoringEvidence } from './domain/scoring-evidence.js';
import type { ScoringState } from './domain/state.js';
import type { StepTargets } from './domain/step.js';
import type { ScoringProcessor } from './processor.js';

/** Input of a step: the profile of the key has joined another one. */
interface JoinedInput {
  readonly joined: Joined;
}

/** Number of the field of `FeatureRecord` that holds it. */
const JOINED_FIELD = 4;

/** What is stored under a key: of a profile that has joined another one whom, and what it goes on with if they are parted. */
export type StoredScoring = Stored<ScoringState>;

/**
 * The processor of profiles with joins around it. A profile that has joined another one is none any more: it leaves its
 * segments, has no stage and no timer, and a record says so to action. The other one goes on from its own stage with the vector of
 * both, which the feature-store sends. A vector of a profile that has joined another one says that they were parted: it
 * goes on from the stage that it had, and the numbers of its transitions with it.
 */
export function withJoins(
  profiles: ScoringProcessor,
  targets: Pick<StepTargets, 'scoreTopic' | 'toSegmentChanged'>,
): ProcessorDefinition<StoredScoring, FeaturesUpdated | JoinedInput, ScoringEvidence | undefined> {
  return wrapProcessor(profiles, {
    states: createJoinedStates(profiles.codec),
    decode: decodeJoined,
    isOwn: (input: FeaturesUpdated | JoinedInput): input is JoinedInput => 'joined' in input,
    step: (item) => leave(item, targets),
  });
}

/** Undefined for a vector or a control record, which nearly all records are: those are decoded once. */
function decodeJoined(value: Buffer): JoinedInput | undefined {
  if (toFirstField(value) !== JOINED_FIELD) return undefined;
  const { record } = FeatureRecord.decode(value);
  return record?.$case === 'joined' ? { joined: record.value } : undefined;
}

/** Reads profiles as they are, those that have joined others there. Throws as `readStates`. */
export function createJoinedReader(readStates: ReadStates<StoredScoring>): ReadStates<ScoringState> {
  return async (keys) => {
    const found = await readJoined<ScoringState, Awaited<ReturnType<ReadStates<StoredScoring>>>[number]>(
      readStates,
      keys,
    );
    return found.map(({ read, parts }) => ({ ...read, state: parts.profile }));
  };
}

function leave(
  { state, input: { joined }, context }: OwnItem<StoredScoring, JoinedInput>,
  { scoreTopic, toSegmentChanged }: Pick<StepTargets, 'scoreTopic' | 'toSegmentChanged'>,
): StepResult<StoredScoring> {
  if (joined.to === undefined) throw new AppError('contract_violation', 'a profile that joined nobody');
  const value = encodeMessage(ScoreRecord, { record: { $case: 'joined', value: joined } });
  const outputs: Output[] = [{ topic: scoreTopic, value }];
  const { key, logTimeMs } = context;
  const node = { kind: 'forwarder', to: joined.to, sinceMs: logTimeMs } as const;
  const { profile } = toParts(state);
  if (profile?.segments === undefined) return { state: { node, profile: profile && toKept(profile) }, outputs };
  const segmentsVersion = context.inForce.get('segments')?.number ?? 0;
  const changes = leaveSegments(profile.segments, Math.max(logTimeMs, profile.asOfMs));
  outputs.push(...toSegmentChanged({ key, subject: profile.subject, changes, segmentsVersion }));
  const number = profile.segments.number + changes.length;
  return { state: { node, profile: toKept(profile, { number, members: [], waiting: [] }) }, outputs };
}

/** What a profile goes on with if it is parted again: stage and numbers. Its scores are those of the other one now. */
function toKept(profile: ScoringState, segments?: ScoringState['segments']): ScoringState {
  return { ...profile, values: [], attributes: [], scores: undefined, nextCheckAtMs: undefined, segments };
}
