import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.js';
import { createMetrics } from './metrics.js';

describe('telemetry', () => {
  it('logs one JSON line with identity, and never a secret', () => {
    const lines: string[] = [];
    const logger = createLogger({
      service: 's',
      namespace: 'live',
      instanceId: 'i',
      level: 'info',
      destination: { write: (line) => lines.push(line) },
    });
    logger.info({ partition: 3, secret: 'hush' }, 'partition assigned');
    logger.error({ error: new Error('outer', { cause: new Error('inner') }) }, 'commit failed');
    logger.debug('not shown');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      service: 's',
      namespace: 'live',
      instance: 'i',
      partition: 3,
      secret: '[redacted]',
      message: 'partition assigned',
    });
    expect(lines[1]).toContain('inner');
  });

  it('counts under the service and namespace, one metric a name', async () => {
    const metrics = createMetrics({ service: 's', namespace: 'n', processMetrics: false });
    metrics.counter('records_total', 'Records.', ['kind']).inc({ kind: 'in' }, 2);
    metrics.counter('records_total', 'Records.', ['kind']).inc({ kind: 'in' });
    expect(await metrics.registry.metrics()).toMatch(/records_total\{.*kind="in".*\} 3/);
  });
});
