import { encodeMessage, FeatureRecord, type FeaturesUpdated, type Joined, ScoreRecord } from '@perennial/contracts';
import { createStoredStates, LONE_ROOT, readJoined, type Stored, toParts, toStored } from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import type { Output, ProcessorDefinition, ReadStates, StepItem, StepResult } from '@perennial/keyed-processor';
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
/** Of the byte that begins a field: the bits below its number. */
const WIRE_TYPE_BITS = 3;

type Input = FeaturesUpdated | JoinedInput;
/** What is stored under a key: of a profile that has joined another one whom, and what it goes on with if they are parted. */
export type StoredScoring = Stored<ScoringState>;
type JoiningProcessor = ProcessorDefinition<StoredScoring, Input, ScoringEvidence | undefined>;
type Item = StepItem<StoredScoring, Input>;

/**
 * The processor of profiles with joins around it. A profile that has joined another one is none any more: it leaves its
 * segments, has no stage and no timer, and a record says so to action. The other one goes on from its own stage with the vector of
 * both, which the feature-store sends. A vector of a profile that has joined another one says that they were parted: it
 * goes on from the stage that it had, and the numbers of its transitions with it.
 */
export function withJoins(
  profiles: ScoringProcessor,
  targets: Pick<StepTargets, 'scoreTopic' | 'toSegmentChanged'>,
): JoiningProcessor {
  const states = createStoredStates(profiles.codec);
  return {
    ...profiles,
    codec: {
      ...states,
      timerAtMs(stored) {
        const { node, profile } = toParts(stored);
        return node.kind === 'forwarder' ? undefined : profile && profiles.codec.timerAtMs(profile);
      },
    },
    decode(record) {
      // Nearly all records are vectors: those are decoded once.
      const isJoin = (record.value?.[0] ?? 0) >> WIRE_TYPE_BITS === JOINED_FIELD;
      if (!isJoin || record.value === null || record.key === null) return profiles.decode(record);
      const { record: decoded } = FeatureRecord.decode(record.value);
      if (decoded?.$case !== 'joined') return profiles.decode(record);
      return { kind: 'record', key: record.key.toString(), input: { joined: decoded.value } };
    },
    async prepare(items) {
      const scored = items.flatMap((item) => toProfileItem(item) ?? []);
      const evidence = (await profiles.prepare?.(scored)) ?? [];
      let next = 0;
      return items.map((item) => (toProfileItem(item) === undefined ? undefined : evidence[next++]));
    },
    step(item, evidence) {
      const scored = toProfileItem(item);
      if (scored === undefined) return leave(item, targets);
      const result = profiles.step(scored, must(evidence, 'the evidence of a vector'));
      return { ...result, state: toStored({ node: LONE_ROOT, profile: result.state }, item.state) };
    },
  };
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

/** The item as the processor of profiles has it; undefined for a join. */
function toProfileItem({ state, cause, context }: Item): StepItem<ScoringState, FeaturesUpdated> | undefined {
  const { profile } = toParts(state);
  if (cause.kind === 'timer') return { state: profile, cause, context };
  const { input } = cause;
  return 'joined' in input ? undefined : { state: profile, cause: { kind: 'record', input }, context };
}

function leave(
  { state, cause, context }: Item,
  { scoreTopic, toSegmentChanged }: Pick<StepTargets, 'scoreTopic' | 'toSegmentChanged'>,
): StepResult<StoredScoring> {
  const joined = cause.kind === 'record' && 'joined' in cause.input ? cause.input.joined : { to: undefined };
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
