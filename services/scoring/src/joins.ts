import { encodeMessage, FeatureRecord, type FeaturesUpdated, type Joined, ScoreRecord } from '@perennial/contracts';
import { must } from '@perennial/kernel';
import type { Output, ProcessorDefinition, StepItem, StepResult } from '@perennial/keyed-processor';
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
type JoiningProcessor = ProcessorDefinition<ScoringState, Input, ScoringEvidence | undefined>;

/**
 * The processor of profiles with joins around it. A profile that has joined another one is none any more: it leaves its
 * segments, has no stage and no timer, and a record says so to action. The other one goes on from its own stage with the vector of
 * both, which the feature-store sends.
 */
export function withJoins(
  profiles: ScoringProcessor,
  targets: Pick<StepTargets, 'scoreTopic' | 'toSegmentChanged'>,
): JoiningProcessor {
  return {
    ...profiles,
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
      if (scored !== undefined) return profiles.step(scored, must(evidence, 'the evidence of a vector'));
      return leave(item, targets);
    },
  };
}

/** The item as the processor of profiles has it; undefined for a join. */
function toProfileItem({
  state,
  cause,
  context,
}: StepItem<ScoringState, Input>): StepItem<ScoringState, FeaturesUpdated> | undefined {
  if (cause.kind === 'timer') return { state, cause, context };
  const { input } = cause;
  return 'joined' in input ? undefined : { state, cause: { kind: 'record', input }, context };
}

function leave(
  { state, cause, context }: StepItem<ScoringState, Input>,
  { scoreTopic, toSegmentChanged }: Pick<StepTargets, 'scoreTopic' | 'toSegmentChanged'>,
): StepResult<ScoringState> {
  const joined = cause.kind === 'record' && 'joined' in cause.input ? cause.input.joined : { to: undefined };
  const value = encodeMessage(ScoreRecord, { record: { $case: 'joined', value: joined } });
  const outputs: Output[] = [{ topic: scoreTopic, value }];
  if (state?.segments === undefined) return { state: undefined, outputs };
  const segmentsVersion = context.inForce.get('segments')?.number ?? 0;
  const { key, logTimeMs } = context;
  const changes = leaveSegments(state.segments, Math.max(logTimeMs, state.asOfMs));
  outputs.push(...toSegmentChanged({ key, subject: state.subject, changes, segmentsVersion }));
  return { state: undefined, outputs };
}
