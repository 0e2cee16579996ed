import { INITIAL_RATES, type RateTable, readCurrency, readWorth } from '@perennial/commerce';
import {
  type CompiledFeatures,
  createOrderLabels,
  DAY_MS,
  type EngineState,
  type FeatureEvent,
  type OrderChange,
  type OrderLabels,
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
 * it. The population is every user with an order before the cutoff, by user id. Orders are what the spec counts as such
 * (`createOrderLabels`, which throws `config_invalid` for a spec that counts none).
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
  const fold: Fold = { history, spec, rates, toOrders: createOrderLabels(spec) };
  const customers = new Map<string, Customer>();
  let next = 0;
  for (const cutoffMs of [...cutoffsMs].sort((a, b) => a - b)) {
    for (; next < history.length && history.timestampMs(next) < cutoffMs; next += 1) foldBefore(fold, customers, next);
    const buyers = [...customers].filter(([, { orders }]) => orders > 0);
    const labels = collectLabels(fold, new Map(buyers), { first: next, cutoffMs });
    for (const [userId, { state }] of buyers.sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { orders, revenue } = labels.get(userId) ?? NO_ORDERS;
      yield {
        userId,
        cutoffMs,
        values: spec.vector(state, cutoffMs).values,
        purchased: orders > 0,
        // As a sum of the engine is: to four decimals. What was taken back may leave -0.
        spend: Math.round(revenue * 1e4) / 1e4 + 0,
      };
    }
  }
}

/** How events are folded. */
interface Fold {
  readonly history: OrderedHistory;
  readonly spec: CompiledFeatures;
  readonly rates: RateTable;
  readonly toOrders: OrderLabels;
}

interface Customer {
  readonly state: EngineState;
  /** Orders so far that count. */
  readonly orders: number;
}

const NO_ORDERS = { orders: 0, revenue: 0 };

function foldBefore(fold: Fold, customers: Map<string, Customer>, index: number): void {
  const { userId } = fold.history.event(index);
  const before = customers.get(userId);
  const { state, changes } = foldEvent(fold, before?.state, index);
  const orders = changes.reduce((sum, change) => sum + change.orders, before?.orders ?? 0);
  customers.set(userId, { state, orders });
}

function foldEvent(
  { history, spec, rates, toOrders }: Fold,
  before: EngineState | undefined,
  index: number,
): { readonly state: EngineState; readonly changes: readonly OrderChange[] } {
  const event = toFeatureEvent(history.event(index), history.timestampMs(index), rates);
  const result = spec.apply(before, event);
  return { state: result.state, changes: toOrders(event, result) };
}

/**
 * Orders and revenue in the label window of every buyer who has any. Events are folded on from the cutoff, so that an
 * order counts once; `buyers` is changed. Under a spec that takes orders back, to the history's end: later events may.
 */
function collectLabels(
  fold: Fold,
  buyers: Map<string, Customer>,
  { first, cutoffMs }: { readonly first: number; readonly cutoffMs: number },
): ReadonlyMap<string, { readonly orders: number; readonly revenue: number }> {
  const { history, spec } = fold;
  const untilMs = cutoffMs + LABEL_DAYS * DAY_MS;
  const endMs = spec.corrections === undefined ? untilMs : Number.POSITIVE_INFINITY;
  const labels = new Map<string, { orders: number; revenue: number }>();
  for (let index = first; index < history.length && history.timestampMs(index) < endMs; index += 1) {
    const { userId } = history.event(index);
    const buyer = buyers.get(userId);
    if (buyer === undefined) continue;
    const { state, changes } = foldEvent(fold, buyer.state, index);
    buyers.set(userId, { ...buyer, state });
    for (const { timestampMs, orders, revenue } of changes) {
      if (timestampMs < cutoffMs || timestampMs >= untilMs) continue;
      const known = labels.get(userId) ?? NO_ORDERS;
      labels.set(userId, { orders: known.orders + orders, revenue: known.revenue + revenue });
    }
  }
  return labels;
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
    timeZone: '',
  };
}
