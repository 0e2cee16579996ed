import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds, from half a millisecond to half a minute: for commits, publishes, requests. */
export const DURATION_BUCKETS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
/** Records in a batch. */
export const BATCH_SIZE_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];

/** A process's metrics. Requesting a name again returns the same metric, so that several components may share one. */
export interface Metrics {
  readonly registry: Registry;
  counter(name: string, help: string, labelNames?: readonly string[]): Counter<string>;
  gauge(name: string, help: string, labelNames?: readonly string[]): Gauge<string>;
  histogram(name: string, help: string, buckets: readonly number[], labelNames?: readonly string[]): Histogram<string>;
}

/**
 * A registry of its own, since one process may run several services; includes the default process metrics unless
 * switched off.
 */
export function createMetrics(options: { service: string; namespace: string; processMetrics?: boolean }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service: options.service, namespace: options.namespace });
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });
  const made = new Map<string, Counter<string> | Gauge<string> | Histogram<string>>();

  function once<T extends Counter<string> | Gauge<string> | Histogram<string>>(name: string, create: () => T): T {
    const metric = (made.get(name) as T | undefined) ?? create();
    made.set(name, metric);
    return metric;
  }

  return {
    registry,
    counter: (name, help, labelNames = []) =>
      once(name, () => new Counter({ name, help, labelNames, registers: [registry] })),
    gauge: (name, help, labelNames = []) =>
      once(name, () => new Gauge({ name, help, labelNames, registers: [registry] })),
    histogram: (name, help, buckets, labelNames = []) =>
      once(name, () => new Histogram({ name, help, labelNames, buckets: [...buckets], registers: [registry] })),
  };
}
