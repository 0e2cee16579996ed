import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { toTopic } from '@perennial/contracts';
import { createMemoryLog } from '@perennial/kafka/testing';
import { ArchiveCopy } from './archive-copy.js';
import { collectTally } from './collect.js';
import { runTraffic } from './live-traffic.js';

describe('runTraffic', () => {
  it('sends for some seconds and measures until the action', async () => {
    const log = createMemoryLog({ partitions: 3 });
    for (const topic of [
      'eventAccepted',
      'eventRejected',
      'featureUpdated',
      'scoreComputed',
      'stageChanged',
      'segmentChanged',
      'actionDecided',
    ] as const) {
      log.createTopic(toTopic('demo', topic));
    }
    const producer = await log.createProducer();
    const bodies: Array<{ userId: string; messageId: string; timestamp: string; event: string }> = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        const body = JSON.parse(text);
        bodies.push(body);
        const value = Buffer.from(
          JSON.stringify({ userId: body.userId, strategy: 'welcome', profileKey: body.userId }),
        );
        const record = {
          topic: toTopic('demo', 'actionDecided'),
          partition: bodies.length % 3,
          key: null,
          value,
          headers: {},
        };
        void producer.send([record]).then(() => response.end('{"success":true}'));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const startMs = Date.UTC(1998, 6, 2, 10);
    const result = await runTraffic({
      log,
      namespace: 'demo',
      ingestUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      writeKey: 'key',
      startMs,
      seconds: 1,
      eventsPerSecond: 100,
      knownUsers: ['k1', 'k2'],
    });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));

    expect(result).toMatchObject({ sent: 102, answered: 102, failed: 0 });
    expect(result.latencyMs.count).toBeGreaterThanOrEqual(50);
    expect(result.latencyMs.p99).toBeGreaterThanOrEqual(result.latencyMs.p50 ?? Number.NaN);
    expect(bodies[0]?.timestamp).toBe(new Date(startMs).toISOString());
    expect(new Set(bodies.map(({ messageId }) => messageId)).size).toBe(100);
    expect(
      bodies.filter(({ userId }) => userId.startsWith('demo-')).every(({ event }) => event === 'Order Completed'),
    ).toBe(true);
    const tally = await collectTally(log, 'demo', new ArchiveCopy());
    expect(tally.actions).toBe(102);
    await log.close();
  });
});
