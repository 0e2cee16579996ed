import type { FeatureEvent } from '../event.js';
import { toHashDigits } from '../hash.js';
import type { FeaturePlan } from '../plan.js';
import type { EngineState } from '../state.js';
import { type Corrections, type KeptOut, NO_CORRECTIONS } from './corrections.js';

/** Events with an outlier that are remembered, the newest: what was left out of sums must not be taken from them. */
export const KEPT_OUT_MAX = 256;

/** Properties of one event. */
const PROPERTIES_MAX = 8;
/** `["0123456789abcdef",1718000000000,[]],`: the names come on top. */
const ENTRY_BYTES = 40;

/** Bytes at most of what is remembered, for a spec that leaves out outliers of these properties. */
export function toKeptOutBytesMax(leftOut: FeaturePlan['leftOut']): number {
  if (leftOut === undefined) return 0;
  const lengths = leftOut.map((name) => Buffer.byteLength(JSON.stringify(name)) + 1).sort((a, b) => b - a);
  const names = lengths.slice(0, PROPERTIES_MAX).reduce((sum, length) => sum + length, 0);
  return KEPT_OUT_MAX * (ENTRY_BYTES + names);
}

/** Remembers that a counted event had an outlier that features leave out. */
export function rememberKeptOut(plan: FeaturePlan, state: EngineState, event: FeatureEvent): EngineState {
  const { leftOut } = plan;
  const { outliers = [] } = event;
  if (leftOut === undefined || outliers.length === 0) return state;
  const properties = outliers.filter((property) => leftOut.includes(property)).sort();
  if (properties.length === 0) return state;
  const own: KeptOut = { id: toHashDigits(event.messageId), atMs: event.timestampMs, properties };
  const { corrections = NO_CORRECTIONS } = state;
  return { ...state, corrections: { ...corrections, keptOut: uniteKeptOut(corrections.keptOut, [own]) } };
}

/** What both remember, in the order of time and id. */
export function uniteKeptOut(a: readonly KeptOut[] = [], b: readonly KeptOut[] = []): readonly KeptOut[] {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  const all = new Map<string, KeptOut>();
  for (const one of [...a, ...b]) {
    const key = `${one.atMs}/${one.id}`;
    // Another spec remembers other properties of it.
    const properties = new Set([...(all.get(key)?.properties ?? []), ...one.properties]);
    all.set(key, { ...one, properties: [...properties].sort() });
  }
  return [...all.values()].sort((x, y) => x.atMs - y.atMs || (x.id < y.id ? -1 : 1)).slice(-KEPT_OUT_MAX);
}

/** What a spec would remember of what another one does. */
export function pickKeptOut({ leftOut = [] }: FeaturePlan, keptOut: readonly KeptOut[] = []): readonly KeptOut[] {
  return keptOut.flatMap((one) => {
    const properties = one.properties.filter((property) => leftOut.includes(property));
    return properties.length === 0 ? [] : [{ ...one, properties }];
  });
}

/** For a state that has something of it: one without has the bytes that it always had. */
export function toKeptOut(keptOut: readonly KeptOut[]): Pick<Corrections, 'keptOut'> {
  return keptOut.length === 0 ? {} : { keptOut };
}

/** The event with its outliers, as it was counted. A record of it does not have them. */
export function recallOutliers(corrections: Corrections | undefined, event: FeatureEvent): FeatureEvent {
  const { keptOut = [] } = corrections ?? NO_CORRECTIONS;
  if (keptOut.length === 0) return event;
  const own = toHashDigits(event.messageId);
  const found = keptOut.find(({ id, atMs }) => id === own && atMs === event.timestampMs);
  return found === undefined || event.outliers !== undefined ? event : { ...event, outliers: found.properties };
}

/** True when an event is so old that nobody knows any more whether it was left out. */
export function isOutlierForgotten(
  corrections: Corrections | undefined,
  { outliers, timestampMs }: FeatureEvent,
): boolean {
  const keptOut = corrections?.keptOut ?? [];
  const [oldest] = keptOut;
  if (oldest === undefined || outliers !== undefined || keptOut.length < KEPT_OUT_MAX) return false;
  return timestampMs <= oldest.atMs;
}
