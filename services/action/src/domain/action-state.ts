import { AppError } from '@perennial/kernel';
import type { ContactHistory } from '@perennial/policy';

/** What action remembers of a profile. Profiles that never got anything, and await nothing, have no state. */
export interface ActionState {
  readonly history: ContactHistory;
  /** As of the last record that was kept: needed when a timer releases what waits. */
  readonly stage: string;
  readonly subject: Buffer;
  readonly timeZone: string;
  readonly modelHash: string;
}

const VERSION = 1;

type Stored = readonly [
  version: typeof VERSION,
  stage: string,
  subject: string,
  timeZone: string,
  modelHash: string,
  contacts: readonly (readonly [atMs: number, channel: string])[],
  lastUsedAtMs: Readonly<Record<string, number>>,
  pending: readonly (readonly [
    strategy: string,
    causeId: string,
    causedAtMs: number,
    dueAtMs: number,
    expiresAtMs: number,
    reasons: readonly string[],
  ])[],
];

/** JSON without names: a few hundred bytes for a profile with a handful of contacts. */
export function encodeActionState(state: ActionState): Buffer {
  const { history } = state;
  const stored: Stored = [
    VERSION,
    state.stage,
    state.subject.toString('base64'),
    state.timeZone,
    state.modelHash,
    history.contacts.map(({ atMs, channel }) => [atMs, channel]),
    history.lastUsedAtMs,
    history.pending.map((pending) => [
      pending.strategy,
      pending.causeId,
      pending.causedAtMs,
      pending.dueAtMs,
      pending.expiresAtMs,
      pending.reasons,
    ]),
  ];
  return Buffer.from(JSON.stringify(stored));
}

/** Throws `contract_violation` for bytes of another version, or none of ours. */
export function decodeActionState(bytes: Buffer): ActionState {
  const stored: unknown = JSON.parse(bytes.toString('utf8'));
  if (!Array.isArray(stored) || stored[0] !== VERSION) {
    throw new AppError('contract_violation', 'an action state of an unknown version');
  }
  const [, stage, subject, timeZone, modelHash, contacts, lastUsedAtMs, pending] = stored as unknown as Stored;
  return {
    stage,
    subject: Buffer.from(subject, 'base64'),
    timeZone,
    modelHash,
    history: {
      contacts: contacts.map(([atMs, channel]) => ({ atMs, channel })),
      lastUsedAtMs,
      pending: pending.map(([strategy, causeId, causedAtMs, dueAtMs, expiresAtMs, reasons]) => ({
        strategy,
        causeId,
        causedAtMs,
        dueAtMs,
        expiresAtMs,
        reasons,
      })),
    },
  };
}

/** When the first of what waits is due. */
export function toTimerAtMs(state: ActionState): number | undefined {
  return state.history.pending[0]?.dueAtMs;
}
