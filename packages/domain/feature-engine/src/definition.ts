import type { Attribute } from './attributes.js';
import type { CorrectionRules } from './corrections/correction-rules.js';
import type { RepeatedOrders } from './order-memory.js';

/** The events that a feature counts. */
export interface EventFilter {
  /** track, page, screen, identify ...; outcome, contact, consent: what others report, which only a filter that names it counts. */
  readonly type: string;
  /** Name of the event, compared exactly (case-sensitive); undefined for any, and for one of `names`. */
  readonly name: string | undefined;
  /** Two or more names in order, of which the event has one. */
  readonly names?: readonly string[] | undefined;
  /** Code of ISO 4217: only events in this currency count, and amounts of the feature are as they were sent. Absent for any. */
  readonly currency?: string | undefined;
  /** CEL condition on `properties.*` and `context.*`, canonical text: only events that fulfil it count. Absent for none. */
  readonly where?: string | undefined;
}

/** Unit of features that are money. They are in the namespace's currency, which takes this word's position for people. */
export const MONEY_UNIT = 'currency';

/** A number from an event's properties, added up in whole units of 1e-4. */
export interface AmountMeasure {
  readonly kind: 'amount';
  /** The first of these properties that is an amount is used; an event without one is counted and adds nothing. */
  readonly properties: readonly string[];
  /** True when the sign has no meaning, such as for refunds. */
  readonly absolute: boolean;
  /** The amount of an event is left out, as if the event had none, if it is far from those that the profile had before. */
  readonly outliers?: 'exclude' | undefined;
}

/** Ids from an event's properties. */
export interface IdMeasure {
  readonly kind: 'id';
  /** The first of these properties that is an id is used. */
  readonly properties: readonly string[];
  /** Property with a list of items that each have an id; an event without the list is itself one item. */
  readonly list: string | undefined;
}

/** Fields of every feature. */
interface DefinitionBase {
  /** Unique in its spec; conditions and models refer to it. */
  readonly name: string;
  /** Unit of the value, such as `orders` or `days`: for people and models. Amounts in `MONEY_UNIT` are converted. */
  readonly unit: string;
  /** Undefined means all behaviour: every event but an outcome, a contact and a consent. */
  readonly event: EventFilter | undefined;
}

/** A feature that reads clocks and calendars. */
interface Zoned {
  /** Each event at the clocks of its own time zone, UTC without one. Absent: UTC for all. */
  readonly zone?: 'local' | undefined;
}

/**
 * One declared feature. A `windowMs` of undefined means the profile's whole life.
 *
 * `days_since_first`, `days_since_last` and `gap_mean` are null without events (the last: with fewer than two).
 */
export type FeatureDefinition = DefinitionBase &
  (
    | { readonly aggregation: 'count'; readonly windowMs: number | undefined }
    | {
        /**
         * Of the events that have the amount: their sum, which is 0 without any; their mean and their population
         * standard deviation, which are null then.
         */
        readonly aggregation: 'sum' | 'mean' | 'std';
        readonly measure: AmountMeasure;
        readonly windowMs: number | undefined;
      }
    | {
        /** One of the amounts, null without any. Of those at one time the first is the least, the last the greatest. */
        readonly aggregation: 'min' | 'max' | 'first' | 'last';
        readonly measure: AmountMeasure;
        readonly windowMs: number | undefined;
      }
    /** Fraction of the window's events which pass a second filter as well, null without an event. */
    | { readonly aggregation: 'share'; readonly matching: EventFilter; readonly windowMs: number | undefined }
    /** The same of their amounts, null where these add up to 0; `money` where the amounts are to be converted. */
    | {
        readonly aggregation: 'amount_share';
        readonly matching: EventFilter;
        readonly measure: AmountMeasure;
        readonly money: boolean;
        readonly windowMs: number | undefined;
      }
    /** Fraction of the window's events in some hours of the day: 0 to 23, ascending. Null without an event. */
    | (Zoned & {
        readonly aggregation: 'hour_share';
        readonly hours: readonly number[];
        readonly windowMs: number | undefined;
      })
    /** The same for days of the week as ISO 8601 numbers them: 1 is Monday, 7 is Sunday. */
    | (Zoned & {
        readonly aggregation: 'weekday_share';
        readonly weekdays: readonly number[];
        readonly windowMs: number | undefined;
      })
    /**
     * Count of events, or sum of their amounts, in which each weighs half as much after every `halfLifeMs`. It is a sum
     * over tiles of an eighth of the half-life: those of the k-th tile before the current one weigh 2^(-k / 8), and
     * nothing from k = 128 on.
     */
    | { readonly aggregation: 'decayed_count'; readonly halfLifeMs: number }
    | { readonly aggregation: 'decayed_sum'; readonly measure: AmountMeasure; readonly halfLifeMs: number }
    /** Number of events in the window, less those in the window of the same length before it. */
    | { readonly aggregation: 'trend'; readonly windowMs: number }
    /** Number of different days with an event. The window begins with a day, whatever its length. */
    | (Zoned & { readonly aggregation: 'active_days'; readonly windowMs: number | undefined })
    /**
     * Number of consecutive days with an event: of those that end today or yesterday, 0 for none; the most. The window
     * begins with a day, and days before it do not count.
     */
    | (Zoned & { readonly aggregation: 'streak' | 'longest_streak'; readonly windowMs: number | undefined })
    /**
     * Number of sessions, and their mean length in seconds (null without one). Events at most `gapMs` apart belong to one;
     * a session of one event has the length 0. Of a session that began before the window only what is in it counts.
     */
    | {
        readonly aggregation: 'sessions_count' | 'session_length_mean';
        readonly gapMs: number;
        readonly windowMs: number;
      }
    | { readonly aggregation: 'distinct'; readonly measure: IdMeasure; readonly windowMs: number | undefined }
    /**
     * How often the id of a rank (1 to 5, by frequency) occurred, 0 without one; the same as a fraction of all
     * occurrences, null without any. An id occurs once for each item that has it.
     */
    | {
        readonly aggregation: 'top_count' | 'top_share';
        readonly measure: IdMeasure;
        readonly rank: number;
        readonly windowMs: number | undefined;
      }
    /** Shannon's entropy of the ids in bits: 0 if there is one id, log2(n) if n are equally frequent; null without any. */
    | { readonly aggregation: 'entropy'; readonly measure: IdMeasure; readonly windowMs: number | undefined }
    | { readonly aggregation: 'days_since_first' }
    | { readonly aggregation: 'days_since_last' }
    /** Mean of the gaps between consecutive events, in days. */
    | { readonly aggregation: 'gap_mean' }
    /** Population standard deviation of the gaps between the newest events, in days; null with fewer than two events. */
    | { readonly aggregation: 'gap_std' }
    /**
     * A quantile of the gaps between the newest events, in days, interpolated linearly between the two closest (type 7 of
     * Hyndman and Fan, 1996); null with fewer than two events.
     */
    | { readonly aggregation: 'gap_quantile'; readonly quantile: number }
    /**
     * How regular the gaps between the newest events are, from 1 (all are equal) over 0 (as of chance) to -1 (bursts): the
     * burstiness of Goh and Barabasi (2008) with the other sign, (mean - std) / (mean + std). Null with fewer than three
     * events, or if all are at one time.
     */
    | { readonly aggregation: 'regularity' }
    /** Quotient of two other features of the spec, by name; null when either is null or the denominator is 0. */
    | { readonly aggregation: 'ratio'; readonly numerator: string; readonly denominator: string }
  );

/** A feature that reads amounts. */
export type AmountDefinition = Extract<FeatureDefinition, { measure: AmountMeasure }>;

/** A feature that is a part of a whole: of the same events, those that pass something else as well. */
export type ShareDefinition = Extract<
  FeatureDefinition,
  { aggregation: 'share' | 'amount_share' | 'hour_share' | 'weekday_share' }
>;

/** A feature that is computed from sessions. */
export type SessionsDefinition = Extract<FeatureDefinition, { gapMs: number }>;

/** A feature that is computed from the frequencies of ids. */
export type TopsDefinition = Extract<FeatureDefinition, { aggregation: 'entropy' } | { rank: number }>;

export function isOfTops(definition: FeatureDefinition): definition is TopsDefinition {
  const { aggregation } = definition;
  return aggregation === 'top_count' || aggregation === 'top_share' || aggregation === 'entropy';
}

/** True when a feature reads the clocks of each event's own time zone. */
export function isLocal(definition: FeatureDefinition): boolean {
  return 'zone' in definition && definition.zone === 'local';
}

/** True when the amounts of a feature are converted to the namespace's currency. */
export function isMoney(definition: Pick<FeatureDefinition, 'unit' | 'event'> & { readonly money?: boolean }): boolean {
  if (definition.event?.currency !== undefined) return false;
  return definition.money ?? definition.unit === MONEY_UNIT;
}

/** The filters that a feature has. */
export function listFilters(definition: FeatureDefinition): readonly EventFilter[] {
  const matching = 'matching' in definition ? definition.matching : undefined;
  return [definition.event, matching].filter((filter) => filter !== undefined);
}

/** A feature that is computed from two others. */
export type RatioDefinition = Extract<FeatureDefinition, { aggregation: 'ratio' }>;

/** Rules of a spec besides its features. */
export interface FeatureRules {
  /** Default: once. */
  readonly repeatedOrders?: RepeatedOrders;
  /** What conditions may read of a profile besides its features. Default: nothing. */
  readonly attributes?: readonly Attribute[];
  /** Which orders a profile takes back when they are cancelled or edited. Default: none. */
  readonly corrections?: CorrectionRules | undefined;
}

/** All that a feature spec says. */
export interface FeatureSpec {
  readonly definitions: readonly FeatureDefinition[];
  readonly rules: FeatureRules;
}

export type Aggregation = FeatureDefinition['aggregation'];

/** All of them, in the order in which messages list them. */
export const AGGREGATIONS: readonly Aggregation[] = [
  'count',
  'sum',
  'mean',
  'std',
  'min',
  'max',
  'first',
  'last',
  'trend',
  'share',
  'amount_share',
  'hour_share',
  'weekday_share',
  'decayed_count',
  'decayed_sum',
  'active_days',
  'streak',
  'longest_streak',
  'sessions_count',
  'session_length_mean',
  'distinct',
  'top_count',
  'top_share',
  'entropy',
  'days_since_first',
  'days_since_last',
  'gap_mean',
  'gap_std',
  'gap_quantile',
  'regularity',
  'ratio',
];

/** Maximum features per spec: bounds the size of vectors and states and the time of a fold. */
export const FEATURES_MAX = 256;
