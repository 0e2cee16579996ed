import { describe, expect, it } from '@jest/globals';
import { createLogger, createMetrics } from '@perennial/telemetry';
import { createScoringTelemetry } from './telemetry.js';

function createTelemetry() {
  const lines: Array<Record<string, unknown>> = [];
  const logger = createLogger({
    service: 'scoring',
    namespace: 'live',
    instanceId: 'a',
    level: 'info',
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const metrics = createMetrics({ service: 'scoring', namespace: 'live', processMetrics: false });
  return { lines, events: createScoringTelemetry(logger, metrics), read: () => metrics.registry.metrics() };
}

describe('a condition that threw', () => {
  it('is counted each time and logged once an interval', async () => {
    const { lines, events, read } = createTelemetry();
    for (let times = 0; times < 3; times++) {
      events.conditionFailed({ source: 'scores.churn > 0', error: new Error('no values') });
    }
    expect(await read()).toMatch(/^scoring_condition_errors_total\{.*\} 3$/m);
    expect(lines).toMatchObject([{ level: 'error', message: 'condition failed', condition: 'scores.churn > 0' }]);
  });
});

describe('rows without a score', () => {
  it('are counted by reason, with the processes that they cost, and logged once an interval', async () => {
    const { lines, events, read } = createTelemetry();
    for (const reason of ['time', 'range', 'time'] as const) {
      events.rowFailed({ modelHash: 'abc', reason, problem: 'the model default failed' });
    }
    for (let times = 0; times < 2; times++) events.modelProcessLost({ reason: 'time', message: 'it needs more' });
    const text = await read();
    expect(text).toMatch(/^scoring_rows_failed_total\{reason="time".*\} 2$/m);
    expect(text).toMatch(/^scoring_rows_failed_total\{reason="range".*\} 1$/m);
    expect(text).toMatch(/^scoring_model_processes_lost_total\{reason="time".*\} 2$/m);
    expect(lines).toMatchObject([
      { level: 'error', message: 'row without a score', modelHash: 'abc', reason: 'time' },
      { level: 'warn', message: 'model process lost', reason: 'time', cause: 'it needs more' },
    ]);
  });
});
