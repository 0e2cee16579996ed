import { describe, expect, it } from '@jest/globals';
import { createLogger, createMetrics } from '@perennial/telemetry';
import { createActionTelemetry } from './telemetry.js';

describe('a condition that threw', () => {
  it('is counted each time and logged once an interval', async () => {
    const lines: string[] = [];
    const logger = createLogger({
      service: 'action',
      namespace: 'live',
      instanceId: 'a',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    });
    const metrics = createMetrics({ service: 'action', namespace: 'live', processMetrics: false });
    const telemetry = createActionTelemetry(logger, metrics);
    for (let times = 0; times < 3; times++) {
      telemetry.conditionFailed({ source: 'scores.churn > 0', error: new Error('no values') });
    }
    expect(await metrics.registry.metrics()).toMatch(/^action_condition_errors_total\{.*\} 3$/m);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'error',
      message: 'condition failed',
      condition: 'scores.churn > 0',
    });
  });
});
