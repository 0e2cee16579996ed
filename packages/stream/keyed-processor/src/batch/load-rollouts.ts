import type { Rollout } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import type { Rejection } from '../definition.js';
import type { BatchEntry } from './decode-batch.js';

type LoadRollout = (rollout: Rollout, inForce: ReadonlyMap<string, Rollout>) => Promise<Rejection | undefined>;

/**
 * Loads the rollouts of a batch before it is processed. A rejected one is poison like any other unusable record: it is
 * kept as a dead letter with the reason, and what was in force stays in force. It is not forwarded, so later processors
 * never see it. `before` is what is in force where the batch begins.
 */
export async function loadRollouts<Input>(
  entries: ReadonlyArray<BatchEntry<Input>>,
  before: readonly Rollout[],
  loadRollout: LoadRollout,
): Promise<ReadonlyArray<BatchEntry<Input>>> {
  if (!entries.some((entry) => rolloutOf(entry) !== undefined)) return entries;
  const loaded: Array<BatchEntry<Input>> = [];
  const inForce = toInForce(before);
  for (const entry of entries) {
    const rollout = rolloutOf(entry);
    const rejection = rollout && (await loadRollout(rollout, inForce));
    if (rollout !== undefined && rejection === undefined) inForce.set(rollout.kind, rollout);
    loaded.push(rejection === undefined ? entry : toPoison(entry, rejection));
  }
  return loaded;
}

/** Loads again what is in force. There is no fallback, so a rejection is thrown. */
export async function loadInForce(inForce: readonly Rollout[], loadRollout: LoadRollout): Promise<void> {
  for (const rollout of inForce) {
    const rejection = await loadRollout(rollout, toInForce(inForce));
    if (rejection === undefined) continue;
    const { kind, number } = rollout;
    throw new AppError(
      'dependency_misconfigured',
      `${kind} ${number} is in force, but this build has no use for it (${rejection.reason}): deploy the build that had`,
    );
  }
}

function toInForce(rollouts: readonly Rollout[]): Map<string, Rollout> {
  return new Map(rollouts.map((rollout) => [rollout.kind, rollout]));
}

function rolloutOf<Input>(entry: BatchEntry<Input>): Rollout | undefined {
  return entry.result === 'decoded' && entry.decoded.kind === 'rollout' ? entry.decoded.rollout : undefined;
}

function toPoison<Input>({ record, position }: BatchEntry<Input>, { reason }: Rejection): BatchEntry<Input> {
  return { record, position, result: 'poison', cause: reason };
}
