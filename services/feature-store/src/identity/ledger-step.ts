import type { Unmerge } from '@perennial/contracts';
import {
  findRunning,
  type IdentityNode,
  isBegun,
  type LedgerNode,
  type LedgerResult,
  takeChange,
  takeResult,
  toChange,
} from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import type { Cause, Output, StepContext } from '@perennial/keyed-processor';
import type { AcceptedInput, IdentityWriter } from './identity-records.js';

/** A step of the key that takes changes: it numbers them, and sends each where it is to be done. */
export function stepLedger(
  before: IdentityNode,
  cause: Cause<AcceptedInput>,
  { context, writer }: { readonly context: StepContext; readonly writer: IdentityWriter },
): { readonly node: IdentityNode; readonly outputs: readonly Output[] } {
  const ledger = before.kind === 'ledger' ? before : undefined;
  if (cause.kind === 'record' && 'identity' in cause.input) {
    const { identity } = cause.input;
    if (identity.kind === 'unmerge' && identity.unmerge.step === 'clear') {
      return { node: before, outputs: clear(ledger, identity.unmerge, writer) };
    }
    if (identity.kind === 'unmerge' && identity.unmerge.step === 'withdraw') {
      return { node: before, outputs: withdraw(ledger, identity.unmerge, writer) };
    }
  }
  const taken = take(ledger, cause, context.logTimeMs);
  return { node: taken.node, outputs: toOutputs(taken, writer) };
}

/**
 * A profile holds an unmerge that the job does not find here. The job may have read a state that is behind; what was begun
 * stands above this record in the log, so that here it is known whether this one was.
 */
function clear(ledger: LedgerNode | undefined, unmerge: Unmerge, writer: IdentityWriter): Output[] {
  return isBegun(ledger, unmerge) ? [] : [writer.unmerge(unmerge, must(unmerge.leaver, 'the profile to clear'))];
}

/** The attempt that is running is to begin again: from here the record goes behind its `begin`, and behind all that this has caused. */
function withdraw(ledger: LedgerNode | undefined, unmerge: Unmerge, writer: IdentityWriter): Output[] {
  const change = findRunning(ledger, unmerge)?.change;
  if (change === undefined) return [];
  return [writer.unmerge({ ...unmerge, leaver: change.weaker, other: change.stronger.key }, change.weaker)];
}

function take(node: LedgerNode | undefined, cause: Cause<AcceptedInput>, logTimeMs: number): LedgerResult {
  if (cause.kind === 'record' && 'identity' in cause.input) {
    const { identity } = cause.input;
    if (identity.kind === 'change') {
      const change = toChange(identity.change);
      return takeChange(node, { change, atMs: Math.max(logTimeMs, change.atMs) });
    }
    if (identity.kind === 'unmerge') {
      const { number, attempt, hash, reason } = identity.unmerge;
      return takeResult(node, { number, attempt, state: toResult(identity.unmerge), hash, atMs: logTimeMs, reason });
    }
  }
  throw new AppError('contract_violation', 'the key of the ledger takes changes and their results only');
}

function toResult({ step }: Unmerge): 'done' | 'not_joined' | 'interrupted' | 'failed' {
  if (step === 'done' || step === 'not_joined' || step === 'interrupted' || step === 'failed') return step;
  throw new AppError('contract_violation', `a step ${step} of an unmerge under the key of the ledger`);
}

function toOutputs({ sent }: LedgerResult, writer: IdentityWriter): Output[] {
  return sent.map((one) => {
    const { number, change } = one;
    const { weaker, stronger } = change;
    if (one.kind === 'merge') return writer.link({ self: stronger, other: weaker, change: number });
    const { attempt } = one;
    return writer.unmerge({ step: 'begin', number, attempt, leaver: weaker, other: stronger.key, hash: '' }, weaker);
  });
}
