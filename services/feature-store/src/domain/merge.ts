import type { FeaturesUpdated } from '@perennial/contracts';
import { type CompiledFeatures, describeMissing, type EngineState, type FeatureSpecs } from '@perennial/feature-engine';
import { type About, mergeAbout } from '@perennial/traits';
import { type CurrentState, type SpecContext, toCurrent } from './fill.js';
import { toResult } from './fold.js';
import { mergeSeries } from './outliers.js';
import type { ProfileState } from './profile-state.js';

/** Inputs of a merge besides the profiles. */
export interface MergeContext extends SpecContext {
  readonly logTimeMs: number;
  /** What the profile that stays has yet to take of the fill in force. */
  readonly part: EngineState | undefined;
  /** What the joined profile has yet to take of it, all its members included. */
  readonly joinedPart: EngineState | undefined;
  /** Keys of the joined profile and its members. */
  readonly joinedKeys: readonly string[];
  /** The external id of the merged profile, sealed. */
  readonly subject: Buffer;
}

/**
 * Merges a profile that has joined into one that stays. The merged state is later than both by a millisecond at least:
 * two updates without an event must not have one time, since that is how action tells their causes apart.
 */
export function mergeProfiles(
  staying: ProfileState | undefined,
  joined: ProfileState,
  context: MergeContext,
): { readonly state: ProfileState; readonly update: FeaturesUpdated } {
  const { specs, logTimeMs, part, joinedPart, subject } = context;
  const theirs = { ...toCurrent(joined, context, joinedPart), ...toAhead(joined, context) };
  const ours = staying && toCurrent(staying, context, part);
  const both = ours === undefined ? theirs : mergeCurrent(ours, theirs, context);
  const merged = { ...both, whole: mergeWhole(ours, theirs, context) };
  const atMs = Math.max(logTimeMs, merged.engine.asOfMs + 1);
  const engine = specs.get(merged.engine.specHash).advance(merged.engine, atMs);
  return toResult({ ...merged, engine }, specs, {
    subject,
    ...mergeNewest(staying, joined),
    about: mergeKnown(staying?.about, joined.about),
    account: staying?.account ?? joined.account,
    outliers: mergeOutliers(staying?.outliers, joined.outliers),
    event: undefined,
  });
}

/** Of a profile from a partition where a wider spec is in force already: what it has under that, for the fill to come. */
function toAhead(
  { engine, beside, whole = [] }: ProfileState,
  { spec, specs, isFilling = false, joinedKeys }: MergeContext,
): Partial<CurrentState> {
  const made = specs.get(engine.specHash);
  const isAhead = !isFilling && made !== spec && describeMissing(spec.features, made) === undefined;
  if (!isAhead) return {};
  return { beside: beside ?? made.withoutMemories(engine), whole: [...whole, ...joinedKeys] };
}

/** Their parts are not taken again: their partition may have put the fill in force before this one does. */
function mergeWhole(
  staying: CurrentState | undefined,
  joined: CurrentState,
  { spec, isFilling = false, joinedKeys }: MergeContext,
): readonly string[] | undefined {
  const keys = isFilling && joined.engine.specHash === spec.specHash ? joinedKeys : [];
  const all = new Set([...(staying?.whole ?? []), ...(joined.whole ?? []), ...keys]);
  return all.size === 0 ? undefined : [...all].sort();
}

/** While a spec is filled, one profile may be under it and the other still under the one before: then the merged one is. */
function mergeCurrent(staying: CurrentState, joined: CurrentState, { spec, specs }: SpecContext): CurrentState {
  const { fill } = staying;
  if (staying.engine.specHash === joined.engine.specHash) {
    const made = specs.get(staying.engine.specHash);
    const beside = mergeBeside(specs, staying.beside, joined.beside);
    return { engine: made.merge(staying.engine, joined.engine), beside, fill };
  }
  const [newer, older] = staying.engine.specHash === spec.specHash ? [staying, joined] : [joined, staying];
  const made = specs.get(older.engine.specHash);
  const beside = mergeBeside(specs, older.beside, toBeside(newer, spec));
  return { engine: made.merge(older.engine, specs.adopt(made, newer.engine)), beside, fill };
}

/** All events of a profile that began under the spec that is filled. */
function toBeside({ engine, beside }: CurrentState, spec: CompiledFeatures): EngineState | undefined {
  return engine.specHash === spec.specHash ? spec.withoutMemories(engine) : beside;
}

function mergeBeside(
  specs: FeatureSpecs,
  a: EngineState | undefined,
  b: EngineState | undefined,
): EngineState | undefined {
  if (a === undefined || b === undefined || a.specHash !== b.specHash) return a ?? b;
  return specs.get(a.specHash).merge(a, b);
}

function mergeKnown(a: About | undefined, b: About | undefined): About | undefined {
  return a === undefined || b === undefined ? (a ?? b) : mergeAbout(a, b);
}

function mergeOutliers(a: ProfileState['outliers'], b: ProfileState['outliers']): ProfileState['outliers'] {
  return a === undefined || b === undefined ? (a ?? b) : mergeSeries(a, b);
}

function mergeNewest(
  staying: ProfileState | undefined,
  joined: ProfileState,
): Pick<ProfileState, 'timeZone' | 'lastEventAtMs'> {
  const isJoinedNewer = staying === undefined || joined.lastEventAtMs > staying.lastEventAtMs;
  const [newer, older] = isJoinedNewer ? [joined, staying] : [staying, joined];
  return { timeZone: newer.timeZone || (older?.timeZone ?? ''), lastEventAtMs: newer.lastEventAtMs };
}
