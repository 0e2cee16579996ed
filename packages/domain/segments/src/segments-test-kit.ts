import { requireValid } from '@perennial/expressions';
import { parseSegments, type SegmentResult, type SegmentState, type Segments, stepSegments } from './index.js';

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** The features that segments in tests may read. */
export const FEATURE_NAMES = ['orders_count_all', 'spend_365d'];

export function parse(yaml: string): Segments {
  return requireValid(parseSegments(yaml, { fileName: 'segments.yaml', featureNames: FEATURE_NAMES }));
}

export interface Moment {
  readonly nowMs: number;
  /** Name of a track event; none for a timer. */
  readonly event?: string | undefined;
  readonly orders?: number;
  readonly spend?: number;
  /** Tags that it was given. */
  readonly given?: readonly string[];
}

export function step(segments: Segments, state: SegmentState | undefined, moment: Moment): SegmentResult {
  const { nowMs, event, orders = 0, spend = 0, given = [] } = moment;
  const facts = { features: [orders, spend], event: event === undefined ? undefined : { type: 'track', name: event } };
  return stepSegments(segments, state, { nowMs, facts, given: new Set(given) });
}

/** `name+` for an entry and `name-` for an exit, in their order. */
export function toMarks({ changes }: SegmentResult): string[] {
  return changes.map(({ segment, change }) => `${segment}${change === 'entered' ? '+' : '-'}`);
}
