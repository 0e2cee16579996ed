import type { CompiledFeatures, EngineState, FeatureSpecs } from '@perennial/feature-engine';
import type { ProfileState } from './profile-state.js';

/** The newest complete fill in force. */
export interface FillInForce {
  /** Beginning of its hash, as states remember it. */
  readonly tag: string;
  /** The spec that was filled. */
  readonly spec: CompiledFeatures;
}

/** What decides under which spec a profile is computed. */
export interface SpecContext {
  /** In force. */
  readonly spec: CompiledFeatures;
  readonly specs: FeatureSpecs;
  /** True while `spec` is filled: profiles that have events before it stay under the spec that they have. */
  readonly isFilling?: boolean;
  readonly fill?: FillInForce | undefined;
}

/** What a profile is computed from. */
export type CurrentState = Pick<ProfileState, 'engine' | 'beside' | 'fill' | 'whole'>;

/** True when a profile has yet to take its part of the fill in force. */
export function needsPart(state: ProfileState | undefined, fill: FillInForce | undefined): boolean {
  return state !== undefined && fill !== undefined && state.fill !== fill.tag;
}

/**
 * A profile as the artifacts in force want it: with its part of the fill, if it has not taken it, then under the spec in
 * force. `part` is what the archive holds of it below the fill's position, undefined for nothing.
 */
export function toCurrent(
  { engine, beside, fill, whole }: CurrentState,
  context: SpecContext,
  part: EngineState | undefined,
): CurrentState {
  const filled = takePart({ engine, beside, fill, whole }, context.fill, part);
  const { spec, specs, isFilling = false } = context;
  // What stands beside may be of a spec to come: of a profile that joined from a partition where it is in force.
  if (filled.engine.specHash === spec.specHash) return filled;
  if (!isFilling) return { engine: specs.adopt(spec, filled.engine), fill: filled.fill };
  // What stands beside for another spec was overtaken by a newer one: the fill of that begins later, and holds it.
  return filled.beside?.specHash === spec.specHash ? filled : { ...filled, beside: undefined };
}

function takePart(state: CurrentState, inForce: FillInForce | undefined, part: EngineState | undefined): CurrentState {
  if (inForce === undefined || state.fill === inForce.tag) return state;
  const { tag: fill, spec } = inForce;
  // A profile that began under the filled spec has all its events.
  if (part === undefined || state.engine.specHash === spec.specHash) return { ...state, fill, whole: undefined };
  const beside = state.beside?.specHash === spec.specHash ? state.beside : undefined;
  return { engine: spec.completeWith(part, { beside, own: state.engine }), fill };
}
