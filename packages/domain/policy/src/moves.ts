import { assign } from '@perennial/experiments';
import type { Policy, PolicyExperiment } from './policy.js';

/** Enough for a standard error of half a percent at most. */
const PROFILES_DRAWN = 10_000;

/** What another policy does to who is in which arm of an experiment that both have. Shares are from 0 to 1. */
interface ArmMoves {
  readonly experiment: string;
  /** Of the profiles that were in it: those whose arm is another one now. */
  readonly toOtherArm: number;
  /** Of the profiles that were in it: those that are in none of its arms now. */
  readonly out: number;
  /** Of all profiles: those that are in it now and were not before. */
  readonly added: number;
  /** Keys as they are written in the file whose change is the cause; `traffic` is also where it begins. */
  readonly because: ReadonlyArray<'salt' | 'layer' | 'traffic' | 'arms'>;
}

/**
 * Experiments that a second policy lays out otherwise, with whom that moves, in the order of the file. Estimated by assigning the
 * same drawn profiles under both; those of a namespace are as good as drawn, since their keys are hashes. Another set of
 * strategies in an arm moves nobody.
 */
export function findArmMoves(before: Policy, after: Policy): readonly ArmMoves[] {
  const next = toExperiments(after);
  return [...toExperiments(before)].flatMap(([name, old]) => {
    const now = next.get(name);
    if (now === undefined) return [];
    const because = findCauses(old, now);
    return because.length === 0 ? [] : [{ experiment: name, ...countMoves(old, now), because }];
  });
}

/** In a sentence, with what to do about it. */
export function describeArmMoves({ experiment, toOtherArm, out, added, because }: ArmMoves): string {
  const parts = [
    ...(toOtherArm > 0 ? [`moves ${toPercent(toOtherArm)} of its profiles to another arm`] : []),
    ...(out > 0 ? [`takes ${toPercent(out)} of its profiles out`] : []),
    ...(added > 0 ? [`brings in ${toPercent(added)} of all profiles`] : []),
  ];
  const what = `the change of ${because.join(' and ')} of the experiment "${experiment}"`;
  if (parts.length === 0) return `${what} moves nobody`;
  const harm = toOtherArm + out > 0 ? '; the report goes on counting them in their first arm, so begin a new one' : '';
  return `${what} ${parts.join(', ')}${harm}`;
}

function toExperiments({ experimentOf }: Policy): ReadonlyMap<string, PolicyExperiment> {
  return new Map([...experimentOf.values()].map((experiment) => [experiment.name, experiment]));
}

function findCauses(old: PolicyExperiment, now: PolicyExperiment): ArmMoves['because'] {
  const toArms = ({ arms }: PolicyExperiment) => JSON.stringify(arms.map(({ name, weight }) => [name, weight]));
  return [
    ...(old.salt === now.salt ? [] : (['salt'] as const)),
    ...(old.layer === now.layer ? [] : (['layer'] as const)),
    ...(old.slice.from === now.slice.from && old.slice.to === now.slice.to ? [] : (['traffic'] as const)),
    ...(toArms(old) === toArms(now) ? [] : (['arms'] as const)),
  ];
}

function countMoves(old: PolicyExperiment, now: PolicyExperiment): Pick<ArmMoves, 'toOtherArm' | 'out' | 'added'> {
  let [members, toOtherArm, out, added] = [0, 0, 0, 0];
  for (let number = 0; number < PROFILES_DRAWN; number++) {
    const key = `drawn-${number}`;
    const [armBefore, armNow] = [assign(old, key)?.arm, assign(now, key)?.arm];
    if (armBefore === undefined) {
      if (armNow !== undefined) added++;
      continue;
    }
    members++;
    if (armNow === undefined) out++;
    else if (armNow !== armBefore) toOtherArm++;
  }
  const share = (count: number) => (members === 0 ? 0 : count / members);
  return { toOtherArm: share(toOtherArm), out: share(out), added: added / PROFILES_DRAWN };
}

function toPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
