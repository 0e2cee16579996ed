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

  it('logs nothing that a terminal would obey, as JSON of the same value', () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line) };
    const logger = createLogger({ service: 's', namespace: 'live', instanceId: 'i', level: 'info', destination });
    const key = '\u001b[2J\u009b31m\u202e\u2028\u0085\u007f\ud800';
    logger.warn({ key, error: new Error(key) }, 'record rejected');
    expect(lines[0]?.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ key });
  });

  it('logs of a request neither headers nor query, where a write key may be', () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ service: 's', namespace: 'n', instanceId: 'i', level: 'info', destination });
    const req = { method: 'POST', url: '/beacon/v1/batch?writeKey=pk_1', headers: { authorization: 'Bearer pk_2' } };
    logger.child({}).info({ req }, 'asked');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ req: { method: 'POST', path: '/beacon/v1/batch' } });
    expect(lines[0]).not.toContain('pk_');
  });

  it('counts under the service and namespace, one metric a name', async () => {
    const metrics = createMetrics({ service: 's', namespace: 'n', processMetrics: false });
    metrics.counter('records_total', 'Records.', ['kind']).inc({ kind: 'in' }, 2);
    metrics.counter('records_total', 'Records.', ['kind']).inc({ kind: 'in' });
    expect(await metrics.registry.metrics()).toMatch(/records_total\{.*kind="in".*\} 3/);
  });
});
