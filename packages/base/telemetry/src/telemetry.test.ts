import { describe, expect, it } from '@jest/globals';
import { LOG_LIMITS } from './log-limiter.js';
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

  it('writes a few of equal warnings and errors, and says how many there were', async () => {
    const lines: Array<Record<string, unknown>> = [];
    let nowMs = 0;
    const metrics = createMetrics({ service: 's', namespace: 'n', processMetrics: false });
    const logger = createLogger({
      service: 's',
      namespace: 'live',
      instanceId: 'i',
      level: 'info',
      destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
      metrics,
      nowMs: () => nowMs,
    });
    const kafka = logger.child({ topic: 'in' });
    for (let i = 0; i < 1_000; i++) {
      kafka.warn({ details: { error: `broker 7 closed connection ${i}`, retry: i } }, 'kafkajs: connection error');
      logger.error({ partition: i % 2, cause: `offset ${i} fails` }, 'partition stalled, retrying');
    }
    logger.info('an info is never left out');
    logger.info('an info is never left out');
    expect(lines).toHaveLength(3 * LOG_LIMITS.equalLinesMax + 2);
    nowMs = LOG_LIMITS.intervalMs;
    logger.warn('another');
    logger.flush();
    const summaries = lines.filter(({ suppressed }) => suppressed !== undefined);
    expect(summaries).toMatchObject([
      { level: 'warn', topic: 'in', message: 'kafkajs: connection error', suppressed: 997, details: { retry: 999 } },
      { level: 'error', partition: 0, message: 'partition stalled, retrying', suppressed: 497 },
      { level: 'error', partition: 1, cause: 'offset 999 fails', suppressed: 497 },
    ]);
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/log_lines_suppressed_total\{level="warn".*\} 997/);
    expect(text).toMatch(/log_lines_suppressed_total\{level="error".*\} 994/);
  });

  it('counts under the service and namespace, one metric a name', async () => {
    const metrics = createMetrics({ service: 's', namespace: 'n', processMetrics: false });
    metrics.counter('records_total', 'Records.', ['kind']).inc({ kind: 'in' }, 2);
    metrics.counter('records_total', 'Records.', ['kind']).inc({ kind: 'in' });
    expect(await metrics.registry.metrics()).toMatch(/records_total\{.*kind="in".*\} 3/);
  });
});
