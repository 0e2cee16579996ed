import type { Activation } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import type { BatchEntry } from './decode-batch.js';
import type { Refusal } from './definition.js';

type Activate = (activation: Activation) => Promise<Refusal | undefined>;

/**
 * Has the activations of a batch loaded before it is worked off. A refused one is poison like any other record that nobody
 * can use: kept as a dead letter with the reason, while what was in force stays so. It is not handed on: for the processors
 * behind this one it never was.
 */
export async function activateBatch<Input>(
  entries: ReadonlyArray<BatchEntry<Input>>,
  activate: Activate,
): Promise<ReadonlyArray<BatchEntry<Input>>> {
  if (!entries.some((entry) => activationOf(entry) !== undefined)) return entries;
  const activated: Array<BatchEntry<Input>> = [];
  for (const entry of entries) {
    const activation = activationOf(entry);
    const refusal = activation && (await activate(activation));
    activated.push(refusal === undefined ? entry : toPoison(entry, refusal));
  }
  return activated;
}

/** Has what is in force loaded anew. There is nothing to fall back on: a refusal is thrown. */
export async function activateInForce(inForce: readonly Activation[], activate: Activate): Promise<void> {
  for (const activation of inForce) {
    const refusal = await activate(activation);
    if (refusal === undefined) continue;
    const { kind, number } = activation;
    throw new AppError(
      'dependency_misconfigured',
      `${kind} ${number} is in force, but this build has no use for it (${refusal.reason}): deploy the build that had`,
    );
  }
}

function activationOf<Input>(entry: BatchEntry<Input>): Activation | undefined {
  return entry.outcome === 'decoded' && entry.decoded.kind === 'activation' ? entry.decoded.activation : undefined;
}

function toPoison<Input>({ record, position }: BatchEntry<Input>, { reason }: Refusal): BatchEntry<Input> {
  return { record, position, outcome: 'poison', cause: reason };
}
