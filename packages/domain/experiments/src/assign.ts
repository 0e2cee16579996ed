import { toUnitInterval } from '@perennial/kernel';
import type { Assignment, Experiment, Slice } from './experiment.js';

/** Sums of decimal shares such as 0.3 + 0.6 + 0.1 may exceed 1 by this much. */
const ROUNDING = 1e-9;

/**
 * The arm of a person, or undefined when the experiment's part of its layer does not have the person. Deterministic: a
 * hash of layer and key chooses the experiment, an independent one of salt and key the arm. So more traffic keeps those
 * who are in, and arms of experiments in different layers are independent.
 */
export function assign(experiment: Experiment, profileKey: string): Assignment | undefined {
  const arm = isInSlice(experiment, profileKey) ? drawArm(experiment, profileKey) : undefined;
  if (arm === undefined) return undefined;
  return { experiment: experiment.name, arm: arm.name, propensity: arm.weight / toWeightSum(experiment) };
}

/** Whether the experiment's part of its layer has this person. */
function isInSlice({ layer, slice }: Experiment, profileKey: string): boolean {
  const at = toUnitInterval('layer', layer, profileKey);
  return at >= slice.from && at < slice.to;
}

function drawArm({ arms, salt, name }: Experiment, profileKey: string) {
  let left = toUnitInterval('arm', salt, name, profileKey) * toWeightSum({ arms });
  return (
    arms.find(({ weight }) => {
      left -= weight;
      return left < 0;
    }) ?? arms.at(-1)
  );
}

function toWeightSum({ arms }: Pick<Experiment, 'arms'>): number {
  return arms.reduce((sum, { weight }) => sum + weight, 0);
}

/** What a file says of an experiment's traffic: a share, and where it begins, so that removing another moves nobody. */
export interface Traffic {
  readonly layer: string;
  readonly share: number;
  readonly from?: number | undefined;
}

/**
 * Where in their layers experiments lie, in order: after the one before in the same layer, unless it says `from`.
 * Undefined for one that overlaps an earlier one, or does not fit into its layer.
 */
export function layOutTraffic(traffics: readonly Traffic[]): ReadonlyArray<Slice | undefined> {
  const taken = new Map<string, Slice[]>();
  return traffics.map(({ layer, share, from }) => {
    const before = taken.get(layer) ?? [];
    const start = from ?? before.at(-1)?.to ?? 0;
    const end = start + share;
    if (end > 1 + ROUNDING) return undefined;
    const slice = { from: start, to: end > 1 - ROUNDING ? 1 : end };
    if (before.some((other) => slice.from < other.to - ROUNDING && other.from < slice.to - ROUNDING)) return undefined;
    taken.set(layer, [...before, slice]);
    return slice;
  });
}
