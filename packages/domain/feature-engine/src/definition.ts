/** Which events a feature is about. */
export interface EventFilter {
  /** track, page, screen, identify ... */
  readonly type: string;
  /** Name of the event, compared exactly (case and all); undefined for any. */
  readonly name: string | undefined;
}

/** A number out of an event's properties, added up in whole units of 1e-4. */
export interface AmountMeasure {
  readonly kind: 'amount';
  /** The first of these properties that is an amount counts; an event without one counts as an event and adds nothing. */
  readonly properties: readonly string[];
  /** True where the sign means nothing, such as for refunds. */
  readonly absolute: boolean;
}

/** Ids out of an event's properties. */
export interface IdMeasure {
  readonly kind: 'id';
  /** The first of these that is an id counts. */
  readonly properties: readonly string[];
  /** Property with a list of things that each have an id; an event without the list is such a thing itself. */
  readonly list: string | undefined;
}

/** What every feature has. */
interface DefinitionBase {
  /** Unique in its spec; what conditions and models call it. */
  readonly name: string;
  /** What one of the value is, such as `orders` or `days`: for people and models. */
  readonly unit: string;
  /** Undefined for every event. */
  readonly event: EventFilter | undefined;
}

/**
 * One declared feature. A `windowMs` of undefined means the profile's whole life.
 *
 * `days_since_first`, `days_since_last` and `gap_mean` are null without events (the last: with fewer than two).
 */
export type FeatureDefinition = DefinitionBase &
  (
    | { readonly aggregation: 'count'; readonly windowMs: number | undefined }
    | { readonly aggregation: 'sum'; readonly measure: AmountMeasure; readonly windowMs: number | undefined }
    | { readonly aggregation: 'distinct'; readonly measure: IdMeasure; readonly windowMs: number }
    | { readonly aggregation: 'days_since_first' }
    | { readonly aggregation: 'days_since_last' }
    /** Mean of the gaps between consecutive events, in days. */
    | { readonly aggregation: 'gap_mean' }
  );

export type Aggregation = FeatureDefinition['aggregation'];

/** Features of one spec at most: bounds a vector, a state and the time of a fold. */
export const FEATURES_MAX = 256;
