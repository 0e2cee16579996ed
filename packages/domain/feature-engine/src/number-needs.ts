import type { FeatureDefinition, ShareDefinition } from './definition.js';
import { type Also, createAmountStreams, createCountStream, type NumberStream } from './streams.js';
import { toTileMs } from './time.js';

/** A number that a feature is computed from: the sum of a stream over the life, over a window by tiles, or decaying. */
export interface NumberNeed {
  readonly stream: NumberStream;
  /** Undefined for the whole life. */
  readonly window: { readonly windowMs: number; readonly tileMs: number } | { readonly halfLifeMs: number } | undefined;
}

/** The sums that a feature is computed from, in the order in which its reader takes them; empty when it needs none. */
export function toNumberNeeds(definition: FeatureDefinition): readonly NumberNeed[] {
  switch (definition.aggregation) {
    case 'count':
      return over(definition.windowMs, [createCountStream(definition.event)]);
    case 'sum':
      return over(definition.windowMs, [createAmountStreams(definition).sum]);
    case 'mean': {
      const { sum, known } = createAmountStreams(definition);
      return over(definition.windowMs, [known, sum]);
    }
    case 'std': {
      const { sum, known, squares } = createAmountStreams(definition);
      return over(definition.windowMs, [known, sum, ...squares]);
    }
    case 'trend': {
      const stream = createCountStream(definition.event);
      const { windowMs } = definition;
      // Both in tiles of one length, so that the two windows meet without a gap and without an overlap.
      const tileMs = toTileMs(windowMs);
      return [windowMs, 2 * windowMs].map((reachMs) => ({ stream, window: { windowMs: reachMs, tileMs } }));
    }
    case 'share':
    case 'hour_share':
    case 'weekday_share':
      return over(definition.windowMs, [
        createCountStream(definition.event),
        createCountStream(definition.event, toAlso(definition)),
      ]);
    case 'amount_share':
      return over(definition.windowMs, [
        createAmountStreams(definition).sum,
        createAmountStreams(definition, toAlso(definition)).sum,
      ]);
    case 'decayed_count':
      return [{ stream: createCountStream(definition.event), window: { halfLifeMs: definition.halfLifeMs } }];
    case 'decayed_sum':
      return [{ stream: createAmountStreams(definition).sum, window: { halfLifeMs: definition.halfLifeMs } }];
    case 'gap_mean':
      return over(undefined, [createCountStream(definition.event)]);
    default:
      return [];
  }
}

function over(windowMs: number | undefined, streams: readonly NumberStream[]): readonly NumberNeed[] {
  const window = windowMs === undefined ? undefined : { windowMs, tileMs: toTileMs(windowMs) };
  return streams.map((stream) => ({ stream, window }));
}

/** What an event of the part is, besides one of the whole. */
function toAlso(definition: ShareDefinition): Also {
  switch (definition.aggregation) {
    case 'share':
    case 'amount_share':
      return { matching: definition.matching };
    case 'hour_share':
      return { hours: definition.hours, zone: definition.zone };
    case 'weekday_share':
      return { weekdays: definition.weekdays, zone: definition.zone };
  }
}
