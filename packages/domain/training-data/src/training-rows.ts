import { INITIAL_RATES, type RateTable, readCurrency, readWorth } from '@perennial/commerce';
import {
  type CompiledFeatures,
  DAY_MS,
  type EngineState,
  type FeatureEvent,
  ORDER_COMPLETED,
  toEventAmount,
} from '@perennial/feature-engine';

/** Label window: the number of days from a cutoff on that are to be predicted. */
export const LABEL_DAYS = 90;

/** An event of a history, in the shape of Segment's API. */
export interface HistoryEvent {
  readonly type: string;
  readonly messageId: string;
  readonly userId: string;
  readonly event: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Events in order of time, such as the result of `readOrders` of the history package. */
export interface OrderedHistory {
  readonly length: number;
  timestampMs(index: number): number;
  event(index: number): HistoryEvent;
}

/** One profile at one cutoff: features as known then, and labels from the time after. */
export interface TrainingRow {
  readonly userId: string;
  readonly cutoffMs: number;
  readonly values: ReadonlyArray<number | null>;
  /** At least one order in the label window. */
  readonly purchased: boolean;
  /** Known revenue of the orders in the label window. */
  readonly spend: number;
}

/**
 * Point-in-time rows: features from the events strictly before the cutoff, labels from the `LABEL_DAYS` that begin with
 * it. The population is every user whose first order is before the cutoff, by user id.
 */
export function* toTrainingRows(
  history: OrderedHistory,
  {
    cutoffsMs,
    spec,
    rates = INITIAL_RATES,
  }: {
    readonly cutoffsMs: readonly number[];
    readonly spec: CompiledFeatures;
    /** Amounts are converted by it, as they are online; without one, those without a currency count. */
    readonly rates?: RateTable | undefined;
  },
): Generator<TrainingRow> {
  const states = new Map<string, Customer>();
  let next = 0;
  for (const cutoffMs of [...cutoffsMs].sort((a, b) => a - b)) {
    for (; next < history.length && history.timestampMs(next) < cutoffMs; next += 1)
      foldEvent(states, history, { index: next, spec, rates });
    const labels = collectLabels(history, { first: next, untilMs: cutoffMs + LABEL_DAYS * DAY_MS, rates });
    const buyers = [...states].filter(([, customer]) => customer.hasOrdered);
    for (const [userId, { state }] of buyers.sort(([a], [b]) => (a < b ? -1 : 1))) {
      const spend = labels.get(userId);
      yield {
        userId,
        cutoffMs,
        values: spec.vector(state, cutoffMs).values,
        purchased: spend !== undefined,
        spend: spend ?? 0,
      };
    }
  }
}

interface Customer {
  readonly state: EngineState;
  readonly hasOrdered: boolean;
}

function foldEvent(
  states: Map<string, Customer>,
  history: OrderedHistory,
  { index, spec, rates }: { readonly index: number; readonly spec: CompiledFeatures; readonly rates: RateTable },
): void {
  const event = history.event(index);
  const before = states.get(event.userId);
  const { state } = spec.apply(before?.state, toFeatureEvent(event, history.timestampMs(index), rates));
  states.set(event.userId, { state, hasOrdered: before?.hasOrdered === true || isOrder(event) });
}

function isOrder({ type, event }: HistoryEvent): boolean {
  return type === 'track' && event === ORDER_COMPLETED;
}

/** Spend of every user who orders from event `first` on until `untilMs` (exclusive). */
function collectLabels(
  history: OrderedHistory,
  { first, untilMs, rates }: { readonly first: number; readonly untilMs: number; readonly rates: RateTable },
): Map<string, number> {
  const spend = new Map<string, number>();
  for (let index = first; index < history.length && history.timestampMs(index) < untilMs; index += 1) {
    const event = history.event(index);
    if (!isOrder(event)) continue;
    const amount = toEventAmount(toFeatureEvent(event, history.timestampMs(index), rates)) ?? 0;
    spend.set(event.userId, (spend.get(event.userId) ?? 0) + amount);
  }
  return new Map([...spend].map(([userId, sum]) => [userId, Math.round(sum * 1e4) / 1e4]));
}

/** As ingest reads the event and feature-store folds it. */
function toFeatureEvent(
  { messageId, type, event, properties }: HistoryEvent,
  timestampMs: number,
  rates: RateTable,
): FeatureEvent {
  const worth = readWorth(event, properties);
  const currency = readCurrency([properties.currency]);
  return {
    messageId,
    type,
    name: event,
    properties,
    timestampMs,
    worth: worth.kind === 'amount' ? worth.amount : undefined,
    rate: rates.rateAt(currency, timestampMs) ?? null,
  };
}
