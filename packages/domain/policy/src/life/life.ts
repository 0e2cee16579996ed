/**
 * The states of an action, the least telling first. What came of an action is a set of outcomes, and its state is the last one in
 * this order of which there is an outcome: so late, repeated and disordered outcomes never take a state back. An action that was
 * cancelled too late is `delivered`; one that bounced after its delivery was accepted is `bounced`.
 */
const LIFE_STATES = [
  'decided',
  'handed_over',
  'assigned',
  'expired',
  'superseded',
  'cancelled',
  'skipped',
  'confirmed',
  'delivered',
  'bounced',
  'opened',
  'clicked',
  'unsubscribed',
  'complained',
  'converted',
] as const;

export type LifeState = (typeof LIFE_STATES)[number];

/** Places are bits of stored states: further kinds come last. */
const STORED_KINDS = [
  'handed_over',
  'assigned',
  'confirmed',
  'skipped',
  'delivered',
  'opened',
  'clicked',
  'converted',
  'bounced',
  'complained',
  'unsubscribed',
  'expired',
  'cancelled',
  'superseded',
] as const;

/** States in which nothing of an action has reached the person, and somebody may still carry it out. */
const STOPPABLE: ReadonlySet<LifeState> = new Set(['decided', 'handed_over', 'assigned']);

/** An action of a profile, and what came of it. */
export interface ActionLife {
  readonly actionId: string;
  readonly strategy: string;
  readonly channel: string;
  readonly decidedAtMs: number;
  readonly expiresAtMs: number;
  /** A bit for each outcome that was reported. */
  readonly outcomes: number;
}

/** Newest actions that are kept of a profile; the ledger has all of them. */
export const LIVES_MAX = 8;

/** The state of an action with these outcomes; kinds that are unknown say nothing. */
export function toLifeState(kinds: readonly string[]): LifeState {
  return LIFE_STATES.findLast((state) => kinds.includes(state)) ?? 'decided';
}

/** The outcomes of a life. */
export function listOutcomes({ outcomes }: Pick<ActionLife, 'outcomes'>): LifeState[] {
  return STORED_KINDS.filter((_, bit) => (outcomes & (1 << bit)) !== 0);
}

/** The life with one outcome more; the same object for one that it has, or of an unknown kind. */
export function takeOutcome(life: ActionLife, kind: string): ActionLife {
  const bit = (STORED_KINDS as readonly string[]).indexOf(kind);
  const outcomes = bit < 0 ? life.outcomes : life.outcomes | (1 << bit);
  return outcomes === life.outcomes ? life : { ...life, outcomes };
}

/** Whether an action can still be stopped: it has not expired, and nothing of it has reached the person. */
export function canStop(life: ActionLife, nowMs: number): boolean {
  return nowMs < life.expiresAtMs && STOPPABLE.has(toLifeState(listOutcomes(life)));
}

/** The newest lives of both, in order of time; of one action all outcomes. Associative and commutative. */
export function mergeLives(a: readonly ActionLife[], b: readonly ActionLife[]): readonly ActionLife[] {
  const merged = new Map(a.map((life) => [life.actionId, life]));
  for (const life of b) {
    const known = merged.get(life.actionId);
    merged.set(life.actionId, known === undefined ? life : { ...life, outcomes: life.outcomes | known.outcomes });
  }
  const inOrder = [...merged.values()].sort(
    (x, y) => x.decidedAtMs - y.decidedAtMs || (x.actionId < y.actionId ? -1 : 1),
  );
  return inOrder.slice(-LIVES_MAX);
}
