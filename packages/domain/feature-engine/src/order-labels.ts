import { AppError } from '@perennial/kernel';
import { UNITS_PER_AMOUNT } from './amount.js';
import type { ApplyResult } from './apply-result.js';
import type { CompiledFeatures } from './compile.js';
import { listConditions } from './conditions.js';
import type { Added, Contribution } from './corrections/corrections.js';
import type { FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { toNumberNeeds } from './number-needs.js';
import type { NumberStream } from './streams.js';

/** What an event adds to the orders of a time, or takes from them; `revenue` in the namespace's currency. */
export interface OrderChange {
  /** When the order happened. */
  readonly timestampMs: number;
  readonly orders: number;
  readonly revenue: number;
}

/** The orders that an event changed, given what `CompiledFeatures.apply` made of it, and those that a record takes back. */
export interface OrderLabels {
  (event: FeatureEvent, result: ApplyResult): readonly OrderChange[];
  takeBack(contributions: readonly Contribution[]): readonly OrderChange[];
}

/** Whose events are the orders, and whose amounts are the revenue. Every preset has both. */
const ORDERS = 'orders_count_all';
const REVENUE = 'orders_revenue_sum_all';
const NONE: readonly OrderChange[] = [];

/**
 * Labels count what the features `orders_count_all` and `orders_revenue_sum_all` count: the same events, the same
 * amounts, each order once, none that was taken back. Throws `config_invalid` for a spec without them.
 */
export function createOrderLabels({ definitions }: CompiledFeatures): OrderLabels {
  const count = definitions.find(({ name }) => name === ORDERS);
  const sum = definitions.find(({ name }) => name === REVENUE);
  const problems = [findProblem(count, ORDERS, 'count'), findProblem(sum, REVENUE, 'sum')].filter(
    (problem) => problem !== undefined,
  );
  const [orders, revenue] = [count, sum].map((one) => one && toNumberNeeds(one)[0]?.stream);
  if (problems.length > 0 || orders === undefined || revenue === undefined)
    throw new AppError('config_invalid', `labels are orders as the spec counts them:\n${problems.join('\n')}`);
  const conditions = listConditions([count, sum].filter((one) => one !== undefined));
  const toChange = (event: FeatureEvent, added: Added, sign: 1 | -1): OrderChange => ({
    timestampMs: event.timestampMs,
    orders: sign * read(orders, event, added),
    revenue: (sign * read(revenue, event, added)) / UNITS_PER_AMOUNT,
  });
  const finish = (changes: readonly OrderChange[]) => {
    for (const { condition } of conditions) condition.forget();
    const found = changes.filter((change) => change.orders !== 0 || change.revenue !== 0);
    return found.length === 0 ? NONE : found;
  };
  const remove = (taken: readonly Contribution[]) => taken.map(({ event, added }) => toChange(event, added, -1));
  const toOrders = (event: FeatureEvent, { applied, known, takenBack = [] }: ApplyResult) => {
    if (!applied) return NONE;
    const added = known === 'order_without_amount' ? 'amount' : 'all';
    return finish([toChange(event, added, 1), ...remove(takenBack)]);
  };
  return Object.assign(toOrders, { takeBack: (taken: readonly Contribution[]) => finish(remove(taken)) });
}

/** As `measure` adds it: what completes an order brings its worth alone. */
function read(stream: NumberStream, event: FeatureEvent, added: Added): number {
  return added === 'amount' && !stream.isWorth ? 0 : stream.toNumber(event);
}

function findProblem(
  definition: FeatureDefinition | undefined,
  name: string,
  aggregation: 'count' | 'sum',
): string | undefined {
  if (definition === undefined) return `- it has no feature ${name} (a ${aggregation} over the orders)`;
  if (definition.aggregation === aggregation) return undefined;
  return `- its feature ${name} is a ${definition.aggregation}, and must be a ${aggregation}`;
}
