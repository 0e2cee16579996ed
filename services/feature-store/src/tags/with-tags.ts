import type { FeaturesUpdated } from '@perennial/contracts';
import { toAddress } from '@perennial/identity';
import type { Output, ProcessorDefinition, StepContext, StepItem, StepResult } from '@perennial/keyed-processor';
import { changeTag, NOTHING_KNOWN } from '@perennial/traits';
import { type FoldContext, foldTime } from '../domain/fold.js';
import { hadEvents, type ProfileState } from '../domain/profile-state.js';
import type { FeatureEvidence } from '../processor.js';
import { decodeTagInput, type GivenTag, type TagInput } from './tag-records.js';
import type { TagTelemetry } from './tag-telemetry.js';

interface TagOptions<Input extends object> {
  /** Folds into the profile of its key, and knows nothing of tags. */
  readonly profiles: ProcessorDefinition<ProfileState, Input, FeatureEvidence>;
  readonly toFoldContext: (context: StepContext, evidence: FeatureEvidence) => FoldContext;
  readonly toOutput: (update: FeaturesUpdated) => Output;
  readonly telemetry: TagTelemetry;
}

/**
 * The processor of profiles with tags that are given by hand or by a list. They are kept beside the traits, and travel by name
 * with each update (ADR 34). A profile without any costs nothing.
 */
export function withTags<Input extends object>(
  options: TagOptions<Input>,
): ProcessorDefinition<ProfileState, Input | TagInput, FeatureEvidence> {
  const { profiles } = options;
  const { prepare } = profiles;
  return {
    ...profiles,
    decode: (record) => decodeTagInput(record) ?? profiles.decode(record),
    prepare: async (items) => (await prepare?.(items.map((item) => toProfileItem<Input>(item)))) ?? [],
    step(item, evidence) {
      const { cause } = item;
      if (cause.kind === 'record' && 'tag' in cause.input) return takeTag(item, cause.input.tag, evidence, options);
      return profiles.step(item as StepItem<ProfileState, Input>, evidence);
    },
  };
}

/** The item as the processor of profiles has it; a change of a tag needs what a timer needs. */
function toProfileItem<Input extends object>(
  item: StepItem<ProfileState, Input | TagInput>,
): StepItem<ProfileState, Input> {
  const { state, cause, context } = item;
  if (cause.kind === 'timer' || !('tag' in cause.input)) return item as StepItem<ProfileState, Input>;
  return { state, cause: { kind: 'timer', dueAtMs: context.logTimeMs }, context };
}

function takeTag<Input extends object>(
  { state, context }: StepItem<ProfileState, unknown>,
  { tag: name, given: isGiven, kind, owner, atMs, self }: GivenTag,
  evidence: FeatureEvidence,
  { toFoldContext, toOutput, telemetry }: TagOptions<Input>,
): StepResult<ProfileState> {
  // Tags are of persons.
  if (state?.group !== undefined) return { state, outputs: [] };
  const before = state?.about?.tags ?? [];
  const tags = changeTag(before, name, { isGiven, kind, owner, atMs });
  telemetry.taken(kind, tags === undefined ? 'dropped' : tags === before ? 'unchanged' : isGiven ? 'given' : 'taken');
  if (tags === undefined || tags === before) return { state, outputs: [] };
  const fold = toFoldContext(context, evidence);
  const known = state ?? createUnseen(toAddress(self), fold);
  const about = { ...(known.about ?? NOTHING_KNOWN), tags };
  // Later than before: two updates without an event must not have one time, since that is how action tells their causes apart.
  const logTimeMs = Math.max(context.logTimeMs, known.engine.asOfMs + 1);
  const moved = foldTime({ ...known, about }, { ...fold, logTimeMs });
  // Scoring and action know only profiles that had events: its tags travel with the first one.
  return { state: moved.state, outputs: hadEvents(known) ? [toOutput(moved.update)] : [] };
}

/** A profile of which nothing is known but its tags. */
function createUnseen(subject: Buffer, { spec, fill }: FoldContext): ProfileState {
  const seen = { subject, timeZone: '', lastEventAtMs: 0, validUntilMs: undefined };
  return { engine: spec.empty, ...seen, ...(fill === undefined ? {} : { fill: fill.tag }) };
}
