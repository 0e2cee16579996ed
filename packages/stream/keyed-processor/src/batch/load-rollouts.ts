import type { Rollout } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import type { Refusal } from '../definition.js';
import type { BatchEntry } from './decode-batch.js';

type LoadRollout = (rollout: Rollout) => Promise<Refusal | undefined>;

/**
 * Has the rollouts of a batch loaded before it is processed. A refused one is poison like any other record that nobody
 * can use: kept as a dead letter with the reason, while what was in force stays so. It is not forwarded: for the processors
 * behind this one it never was.
 */
export async function loadRollouts<Input>(
  entries: ReadonlyArray<BatchEntry<Input>>,
  loadRollout: LoadRollout,
): Promise<ReadonlyArray<BatchEntry<Input>>> {
  if (!entries.some((entry) => rolloutOf(entry) !== undefined)) return entries;
  const activated: Array<BatchEntry<Input>> = [];
  for (const entry of entries) {
    const rollout = rolloutOf(entry);
    const refusal = rollout && (await loadRollout(rollout));
    activated.push(refusal === undefined ? entry : toPoison(entry, refusal));
  }
  return activated;
}

/** Has what is in force loaded anew. There is nothing to fall back on: a refusal is thrown. */
export async function loadInForce(inForce: readonly Rollout[], loadRollout: LoadRollout): Promise<void> {
  for (const rollout of inForce) {
    const refusal = await loadRollout(rollout);
    if (refusal === undefined) continue;
    const { kind, number } = rollout;
    throw new AppError(
      'dependency_misconfigured',
      `${kind} ${number} is in force, but this build has no use for it (${refusal.reason}): deploy the build that had`,
    );
  }
}

function rolloutOf<Input>(entry: BatchEntry<Input>): Rollout | undefined {
  return entry.outcome === 'decoded' && entry.decoded.kind === 'rollout' ? entry.decoded.rollout : undefined;
}

function toPoison<Input>({ record, position }: BatchEntry<Input>, { reason }: Refusal): BatchEntry<Input> {
  return { record, position, outcome: 'poison', cause: reason };
}
