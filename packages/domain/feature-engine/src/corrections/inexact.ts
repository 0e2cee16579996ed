import type { FeaturePlan } from '../plan.js';
import { isBefore } from '../reach.js';
import type { EngineState } from '../state.js';

/** See `CompiledFeatures.listInexact`. A ratio has what its sides have. */
export function listInexact(plan: FeaturePlan, { corrections }: EngineState, atMs: number): readonly string[] {
  if (corrections === undefined) return [];
  const { remaining } = corrections;
  const own = plan.sources.filter(({ name, reaches }) => {
    const eventMs = Object.hasOwn(remaining, name) ? remaining[name] : undefined;
    return eventMs !== undefined && !isBefore(reaches, eventMs, atMs);
  });
  const names = new Set(own.map(({ name }) => name));
  const all = plan.sources.filter(({ name, sides }) => names.has(name) || sides.some((side) => names.has(side)));
  return all.map(({ name }) => name);
}
