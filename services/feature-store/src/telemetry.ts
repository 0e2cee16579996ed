import type { CompiledFeatures, EngineState } from '@perennial/feature-engine';
import type { Logger, Metrics } from '@perennial/telemetry';
import { type CorrectionTelemetry, createCorrectionTelemetry } from './correction-telemetry.js';
import type { FoldResult } from './domain/fold.js';
import type { ServedProfile } from './domain/serve.js';
import { createFreshnessTelemetry } from './freshness-telemetry.js';
import { createUnreadTelemetry } from './unread-telemetry.js';

/** Senders choose the codes: a label has those that this Node.js knows, some 300, and one for all others. */
const KNOWN_CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** A minute, an hour, six, a day, a week, 30 days, 90, 365. */
const AGE_BUCKETS_SECONDS = [60, 3_600, 21_600, 86_400, 604_800, 2_592_000, 7_776_000, 31_536_000];

/** A profile's engine state before and after a fold, and the spec of the state after it. */
interface FoldedStates {
  readonly before: EngineState | undefined;
  readonly after: EngineState;
  readonly spec: CompiledFeatures;
  readonly result: Pick<
    Extract<FoldResult, { kind: 'applied' }>,
    | 'known'
    | 'counted'
    | 'isTooLate'
    | 'unconverted'
    | 'traitsDropped'
    | 'outliers'
    | 'correction'
    | 'failed'
    | 'unread'
  >;
}

/** What events say besides what features count. */
function createSaidCounters(metrics: Metrics) {
  const traitsDropped = metrics.counter(
    'features_traits_dropped_total',
    'Traits that a profile has no room for: those whose names come last.',
  );
  // Labels are what tracking plans name, and so bounded by what operators write.
  const outliers = metrics.counter(
    'features_outliers_total',
    "Values of properties named in a tracking plan that are far from the profile's own history.",
    ['event', 'property'],
  );
  return ({ traitsDropped: dropped, outliers: found }: Pick<FoldedStates['result'], 'traitsDropped' | 'outliers'>) => {
    if (dropped > 0) traitsDropped.inc(dropped);
    for (const { event, property } of found) outliers.inc({ event, property });
  };
}

/** One function for each thing worth reporting; none of them throws. A batch that is retried counts again. */
export type FeatureTelemetry = ReturnType<typeof createFeatureTelemetry>;

/** Without a logger, defects are only counted. */
export function createFeatureTelemetry(metrics: Metrics, logger?: Logger) {
  const folded = metrics.counter('features_events_folded_total', 'Events folded into a profile.');
  const repeated = metrics.counter('features_events_repeated_total', 'Events dropped, their message id being known.');
  const tooLate = metrics.counter(
    'features_events_too_late_total',
    'Events older than every window reaches: only features of the whole life count them.',
  );
  const dropped = metrics.counter(
    'features_message_ids_dropped_total',
    'Message ids forgotten before their 24 h, a profile having too many: repeats of those would count.',
  );
  const repeatedOrders = metrics.counter(
    'features_orders_repeated_total',
    'Orders and refunds that came again under another message id: dropped, or completed by an amount.',
    ['result'],
  );
  const droppedOrders = metrics.counter(
    'features_order_ids_dropped_total',
    'Orders forgotten before their 30 days, a profile having too many: repeats of those would count.',
  );
  const countSaid = createSaidCounters(metrics);
  const countUnread = createUnreadTelemetry(metrics, logger);
  const observeFreshness = createFreshnessTelemetry(metrics);
  const unconverted = metrics.counter(
    'features_amounts_unconverted_total',
    'Amounts of orders and refunds in no sum, the rate table having no rate for their currency at that time.',
    ['currency'],
  );
  const estimated = metrics.counter(
    'features_distinct_estimated_total',
    'Counts of ids or sessions of profiles that went from exact to estimated.',
  );
  const { corrected, tookBack } = createCorrectionTelemetry(metrics);
  const created = metrics.counter('features_profiles_created_total', 'Profiles seen for the first time.');

  return {
    folded({ before, after, spec, result }: FoldedStates): void {
      folded.inc();
      if (before === undefined) created.inc();
      if (result.isTooLate) tooLate.inc();
      dropped.inc(Math.max(0, after.messages.dropped - (before?.messages.dropped ?? 0)));
      droppedOrders.inc(Math.max(0, after.orders.dropped - (before?.orders.dropped ?? 0)));
      if (result.known === 'order_without_amount') repeatedOrders.inc({ result: 'completed' });
      if (result.unconverted !== undefined) unconverted.inc({ currency: toCurrencyLabel(result.unconverted) });
      corrected(result.correction);
      countSaid(result);
      countUnread(result);
      observeFreshness(spec, result.counted);
      const estimatesBefore = before?.specHash === spec.specHash ? spec.countEstimates(before) : 0;
      const estimatesNow = spec.countEstimates(after) - estimatesBefore;
      if (estimatesNow > 0) estimated.inc(estimatesNow);
    },
    repeated({ known }: Pick<FoldResult, 'known'>): void {
      if (known === 'order') repeatedOrders.inc({ result: 'dropped' });
      else repeated.inc();
    },
    tookBack: tookBack as CorrectionTelemetry['tookBack'],
    ...createServedTelemetry(metrics),
  };
}

/** Of what is answered over HTTP. */
function createServedTelemetry(metrics: Metrics) {
  const missing = metrics.counter(
    'features_served_missing_total',
    'Features answered over HTTP without a value, of known profiles; the rate is of features_profiles_served_total.',
    ['feature'],
  );
  const age = metrics.histogram(
    'features_served_age_seconds',
    'Of known profiles answered over HTTP: from the newest event that their values have to the time that they are of.',
    AGE_BUCKETS_SECONDS,
  );
  const served = metrics.counter('features_profiles_served_total', 'Profiles answered over HTTP.', ['known']);

  return {
    /** Labels are the features of specs that were in force, which only grow. A sum per request, not an event. */
    served(profiles: ReadonlyArray<Pick<ServedProfile, 'known' | 'features'>>, agesMs: readonly number[]): void {
      for (const ageMs of agesMs) age.observe(ageMs / 1_000);
      const known = profiles.filter((profile) => profile.known).length;
      for (const [feature, count] of countMissing(profiles)) missing.inc({ feature }, count);
      served.inc({ known: 'true' }, known);
      served.inc({ known: 'false' }, profiles.length - known);
    },
  };
}

function countMissing(profiles: ReadonlyArray<Pick<ServedProfile, 'known' | 'features'>>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { known, features } of profiles) {
    if (!known) continue;
    for (const [feature, value] of Object.entries(features)) {
      if (value === null) counts.set(feature, (counts.get(feature) ?? 0) + 1);
    }
  }
  return counts;
}

function toCurrencyLabel(currency: string): string {
  return KNOWN_CURRENCIES.has(currency) ? currency : 'other';
}
