import { toHash64 } from '../hash.js';
import { uniteMemories } from '../id-memory.js';
import type { FeaturePlan } from '../plan.js';
import { type EngineState, withCorrections } from '../state.js';
import { KEPT_ORDERS_MAX } from './correction-rules.js';
import {
  type Contribution,
  type Corrections,
  type KeptOrder,
  limitKept,
  NO_CORRECTIONS,
  rememberTakenBack,
  TAKEN_BACK_MEMORY,
  uniteRemaining,
} from './corrections.js';
import { toKeptOut, uniteKeptOut } from './kept-out.js';
import { removeContributions } from './take-back.js';

/** `merged` with what both sides know of corrections: an order that both had counted counts once. */
export function mergeCorrections(
  plan: FeaturePlan,
  merged: EngineState,
  [left, right]: readonly [EngineState, EngineState],
): EngineState {
  if (left.corrections === undefined && right.corrections === undefined) return merged;
  const [a, b] = [left.corrections ?? NO_CORRECTIONS, right.corrections ?? NO_CORRECTIONS];
  const { kept, lost } = uniteKept(a, b);
  const winning = new Set(kept.flatMap(({ contributions }) => contributions.map(({ event }) => event.messageId)));
  const { asOfMs } = merged;
  const isPart = a.pending !== undefined || b.pending !== undefined;
  const united: Corrections = {
    kept: [],
    takenBack: uniteMemories([a.takenBack, b.takenBack], asOfMs, TAKEN_BACK_MEMORY),
    remaining: uniteRemaining(a.remaining, b.remaining),
    ...toKeptOut(uniteKeptOut(a.keptOut, b.keptOut)),
    ...(isPart ? { pending: [...(a.pending ?? []), ...(b.pending ?? [])] } : {}),
  };
  const { state } = removeContributions(plan, { ...merged, corrections: united }, lost);
  const limits = { keep: plan.corrections?.keep ?? KEPT_ORDERS_MAX, asOfMs };
  let corrections: Corrections = {
    ...(state.corrections ?? united),
    takenBack: united.takenBack,
    kept: limitKept(kept, limits),
  };
  for (const { event } of lost) {
    // What both had under one message id counts once.
    if (!winning.has(event.messageId)) corrections = rememberTakenBack(corrections, toHash64(event.messageId), asOfMs);
  }
  // The order is known still: only one of two was one too many.
  return withCorrections({ ...state, orders: merged.orders }, corrections);
}

function uniteKept(a: Corrections, b: Corrections): { kept: readonly KeptOrder[]; lost: readonly Contribution[] } {
  const ofB = new Map(b.kept.map((order) => [order.id, order]));
  const lost: Contribution[] = [];
  const kept = a.kept.map((order) => {
    const other = ofB.get(order.id);
    if (other === undefined) return order;
    ofB.delete(order.id);
    const [winner, loser] = compareKept(order, other) <= 0 ? [order, other] : [other, order];
    lost.push(...loser.contributions);
    return winner;
  });
  return { kept: [...kept, ...ofB.values()], lost };
}

/** A cancelled order first, then the newest version, one with an amount, the earliest; by message id at last. */
function compareKept(a: KeptOrder, b: KeptOrder): number {
  const [x, y] = [toRank(a), toRank(b)];
  for (let place = 0; place < x.length; place += 1) {
    const [left, right] = [x[place] as number | string, y[place] as number | string];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function toRank({ contributions, version, atMs }: KeptOrder): ReadonlyArray<number | string> {
  const [first] = contributions;
  if (first === undefined) return [0, -atMs];
  const hasAmount = contributions.some(({ event }) => event.worth !== undefined);
  return [1, -version, hasAmount ? 0 : 1, -contributions.length, first.event.timestampMs, first.event.messageId];
}
