import { INITIAL_RATES } from '@perennial/commerce';
import { AcceptedRecord, toTopic } from '@perennial/contracts';
import { compileFeatures, ECOMMERCE_FEATURES, type EngineState } from '@perennial/feature-engine';
import type { Log } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { readTopic } from './read-topic.js';

const spec = compileFeatures(ECOMMERCE_FEATURES);

/** The features of every profile at a time, folded from the log without a service: by profile key. */
export async function recomputeFeatures(
  log: Log,
  { namespace, atMs }: { namespace: string; atMs: number },
): Promise<ReadonlyMap<string, Record<string, number | null>>> {
  const states = new Map<string, EngineState>();
  const logTimes = new Map<number, number>();
  for (const { key, value, partition } of await readTopic(log, toTopic(namespace, 'eventAccepted'))) {
    const { record } = AcceptedRecord.decode(must(value, 'value'));
    const logTimeMs = logTimes.get(partition) ?? 0;
    if (record?.$case === 'tick') logTimes.set(partition, Math.max(logTimeMs, record.value.timeMs));
    if (record?.$case !== 'event') continue;
    const { receivedAtMs, propertiesJson, contextJson, amount: worth, currency, ...event } = record.value;
    const before = spec.advance(states.get(String(key)) ?? spec.empty, Math.max(logTimeMs, receivedAtMs));
    const properties: unknown = JSON.parse(propertiesJson.toString());
    const rate = INITIAL_RATES.rateAt(currency, event.timestampMs) ?? null;
    const context: unknown = contextJson && JSON.parse(contextJson.toString());
    states.set(String(key), spec.apply(before, { ...event, properties, context, worth, rate }).state);
  }
  return new Map([...states].map(([key, state]) => [key, spec.toMap(spec.vector(state, atMs).values)]));
}
