import { AppError } from '@perennial/kernel';
import type { CauseEvent, ContactHistory } from '@perennial/policy';

/** What action remembers of a profile. Profiles that never got anything, and await nothing, have no state. */
export interface ActionState {
  readonly history: ContactHistory;
  /** As of the last record that was kept: needed when a timer releases what waits. */
  readonly stage: string;
  readonly subject: Buffer;
  readonly timeZone: string;
  readonly modelHash: string;
  /** Kept only while something waits. */
  readonly facts: ProfileFacts | undefined;
}

/** What conditions read of a profile, as of its last score. */
export interface ProfileFacts {
  readonly asOfMs: number;
  /** Features in the order of the spec; NaN for no value. */
  readonly values: readonly number[];
  readonly stageSinceMs: number;
  readonly lastEventAtMs: number;
  /** Absent until a model is in force. */
  readonly scores: { readonly purchase: number; readonly churn: number; readonly expectedSpend: number } | undefined;
}

const VERSION = 2;

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
    event: CauseEvent | null,
  ])[],
  facts: StoredFacts | null,
];

type StoredFacts = readonly [
  asOfMs: number,
  values: readonly (number | null)[],
  stageSinceMs: number,
  lastEventAtMs: number,
  scores: readonly [purchase: number, churn: number, expectedSpend: number] | null,
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
      pending.event ?? null,
    ]),
    state.facts === undefined ? null : toStoredFacts(state.facts),
  ];
  return Buffer.from(JSON.stringify(stored));
}

/** Throws `contract_violation` for bytes of another version, or none of ours. */
export function decodeActionState(bytes: Buffer): ActionState {
  const stored: unknown = JSON.parse(bytes.toString('utf8'));
  if (!Array.isArray(stored) || stored[0] !== VERSION) {
    const found = Array.isArray(stored) ? `version ${stored[0]}` : 'no version';
    throw new AppError('contract_violation', `an action state of ${found}; this release reads version ${VERSION}`);
  }
  const [, stage, subject, timeZone, modelHash, contacts, lastUsedAtMs, pending, facts] = stored as unknown as Stored;
  return {
    stage,
    subject: Buffer.from(subject, 'base64'),
    timeZone,
    modelHash,
    history: {
      contacts: contacts.map(([atMs, channel]) => ({ atMs, channel })),
      lastUsedAtMs,
      pending: pending.map(([strategy, causeId, causedAtMs, dueAtMs, expiresAtMs, reasons, event]) => ({
        strategy,
        causeId,
        causedAtMs,
        dueAtMs,
        expiresAtMs,
        reasons,
        event: event ?? undefined,
      })),
    },
    facts: facts === null ? undefined : toFacts(facts),
  };
}

function toStoredFacts({ asOfMs, values, stageSinceMs, lastEventAtMs, scores }: ProfileFacts): StoredFacts {
  const numbers = values.map((value) => (Number.isNaN(value) ? null : value));
  const heads = scores === undefined ? null : ([scores.purchase, scores.churn, scores.expectedSpend] as const);
  return [asOfMs, numbers, stageSinceMs, lastEventAtMs, heads];
}

function toFacts([asOfMs, numbers, stageSinceMs, lastEventAtMs, heads]: StoredFacts): ProfileFacts {
  const [purchase, churn, expectedSpend] = heads ?? [];
  return {
    asOfMs,
    values: numbers.map((value) => value ?? Number.NaN),
    stageSinceMs,
    lastEventAtMs,
    scores:
      purchase === undefined || churn === undefined || expectedSpend === undefined
        ? undefined
        : { purchase, churn, expectedSpend },
  };
}

/** When the first of what waits is due. */
export function toTimerAtMs(state: ActionState): number | undefined {
  return state.history.pending[0]?.dueAtMs;
}
