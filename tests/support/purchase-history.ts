import { createSeededRandom } from '@perennial/kernel';

/** One row of a history file, in its schema. */
export interface HistoryRow {
  readonly userId: string;
  readonly atMs: number;
  readonly type: 'purchase' | 'return' | 'page_view';
  readonly itemId: string;
  readonly sessionId: string;
  readonly quantity: number;
  /** Null for an empty value: unknown. */
  readonly value: number | null;
}

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2024, 0, 1);

/** A seeded history: orders of one or more rows, some returned, some of unknown value, some page views; not sorted. */
export function createHistory(options: {
  seed: number;
  users: number;
  days: number;
  rowsPerUserMax: number;
}): HistoryRow[] {
  const random = createSeededRandom(options.seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const rows: HistoryRow[] = [];
  for (let user = 0; user < options.users; user++) {
    const userId = `user-${user}`;
    const orders = 1 + below(options.rowsPerUserMax);
    for (let order = 0; order < orders; order++) {
      const atMs = START_MS + below(options.days * 24 * 60) * 60_000;
      const kind = random();
      const type = kind < 0.08 ? 'return' : kind < 0.2 ? 'page_view' : 'purchase';
      const sessionId = type === 'page_view' || random() < 0.3 ? '' : `${userId}-${order}`;
      for (let line = 0; line <= (sessionId === '' ? 0 : below(3)); line++) {
        const cents = 100 + below(10_000);
        const value = type === 'page_view' || random() < 0.03 ? null : cents / 100;
        const itemId = `item-${below(60)}`;
        rows.push({
          userId,
          atMs: atMs + line * 60_000,
          type,
          itemId,
          sessionId,
          quantity: 1 + below(3),
          value: type === 'return' && value !== null ? -value : value,
        });
      }
    }
  }
  return rows
    .map((row) => ({ row, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ row }) => row);
}

export function toCsv(rows: readonly HistoryRow[]): string {
  const lines = rows.map(({ userId, atMs, type, itemId, sessionId, quantity, value }) =>
    [userId, new Date(atMs).toISOString(), type, itemId, sessionId, quantity, value ?? '', ''].join(','),
  );
  return ['user_id,ts,event_type,item_id,session_id,quantity,value,extra', ...lines, ''].join('\n');
}

/** Independent, naive count for one user at a time: it has the features' meaning, not their code. */
export function countNaively(
  rows: readonly HistoryRow[],
  userId: string,
  asOfMs: number,
): Record<string, number | null> {
  const own = rows.filter((row) => row.userId === userId);
  const orders = groupOrders(own, 'purchase');
  const refunds = groupOrders(own, 'return');
  const times = orders.map(({ atMs }) => atMs).sort((a, b) => a - b);
  const first = times[0];
  const last = times.at(-1);
  // Windows above 7 days begin with the UTC day that holds (as of) - W, shorter ones with the hour.
  const from = (days: number) => {
    const tileMs = days > 7 ? DAY_MS : 3_600_000;
    return Math.floor((asOfMs - days * DAY_MS) / tileMs) * tileMs;
  };
  const within = <T extends { atMs: number }>(list: readonly T[], days: number) =>
    list.filter(({ atMs }) => atMs >= from(days) && atMs <= asOfMs);
  const sum = (list: ReadonlyArray<{ value: number | null }>) =>
    list.reduce((total, { value }) => total + Math.abs(value ?? 0), 0);
  const events = [...orders, ...refunds, ...own.filter(({ type }) => type === 'page_view')];
  return {
    orders_count_7d: within(orders, 7).length,
    orders_count_30d: within(orders, 30).length,
    orders_count_90d: within(orders, 90).length,
    orders_count_365d: within(orders, 365).length,
    orders_count_all: orders.length,
    orders_revenue_sum_30d: sum(within(orders, 30)),
    orders_revenue_sum_90d: sum(within(orders, 90)),
    orders_revenue_sum_365d: sum(within(orders, 365)),
    orders_revenue_sum_all: sum(orders),
    orders_recency_days: last === undefined ? null : (asOfMs - last) / DAY_MS,
    orders_tenure_days: first === undefined ? null : (asOfMs - first) / DAY_MS,
    orders_gap_mean_days:
      first === undefined || last === undefined || times.length < 2
        ? null
        : (last - first) / DAY_MS / (times.length - 1),
    products_distinct_90d: new Set(within(orders, 90).flatMap(({ items }) => items)).size,
    refunds_count_365d: within(refunds, 365).length,
    refunds_amount_sum_365d: sum(within(refunds, 365)),
    events_count_7d: within(events, 7).length,
    events_count_30d: within(events, 30).length,
    events_count_all: events.length,
  };
}

function groupOrders(
  rows: readonly HistoryRow[],
  type: HistoryRow['type'],
): Array<{ atMs: number; value: number | null; items: string[] }> {
  const groups = new Map<string, HistoryRow[]>();
  for (const [index, row] of rows.entries()) {
    if (row.type !== type) continue;
    const name = row.sessionId === '' ? `row ${index}` : row.sessionId;
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return [...groups.values()].map((group) => ({
    atMs: Math.min(...group.map(({ atMs }) => atMs)),
    value: group.some(({ value }) => value === null)
      ? null
      : group.reduce((total, { value }) => total + (value ?? 0), 0),
    items: group.map(({ itemId }) => itemId),
  }));
}
