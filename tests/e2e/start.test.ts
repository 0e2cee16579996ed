import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import { ensurePlatform, type Platform } from '@perennial/launcher';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { createRunName } from '../support/run-name.js';

/*
 * The platform as users start it: a model is registered in processes of its own, comes into force and scores what the
 * front door takes. `./perennial test` runs this under each supported version of Node.js, whose limits of memory differ.
 */

const ROOT = join(import.meta.dirname, '../..');

describe(`a platform started under Node.js ${process.versions.node}`, () => {
  const { brokers, redisUrl, postgresUrl } = readTestEnvironment();
  const home = mkdtempSync(join(tmpdir(), 'perennial-start-'));
  let platform: Platform;

  beforeAll(async () => {
    platform = await ensurePlatform({
      root: ROOT,
      home,
      namespace: `start${createRunName()}`,
      clockMode: 'wall',
      partitions: 2,
      endpoints: { kafkaBrokers: brokers.join(','), redisUrl, postgresUrl },
    });
  }, 180_000);

  afterAll(async () => {
    await platform?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  it('scores a profile by the registered model', async () => {
    const output = await platform.runCommand('ingest', ['sources', 'create', '--name', 'start', '--json']);
    const { writeKey } = JSON.parse(must(output.trim().split('\n').at(-1), 'a source')) as { writeKey: string };
    const response = await fetch(`${platform.urls.ingest}/v1/track`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${writeKey}` },
      body: JSON.stringify({
        userId: 'a',
        messageId: 'm1',
        event: 'Order Completed',
        timestamp: '2024-03-01T10:00:00Z',
        properties: { revenue: 3 },
      }),
    });
    expect(response.status).toBe(200);
    const check = async () => {
      const profile = await platform.client.call('getProfile', { path: { userId: 'a' } });
      expect(profile).toMatchObject({ known: true, scores: { purchase: expect.any(Number) } });
    };
    await eventually(check, { withinMs: 30_000, what: 'a score' });
  }, 60_000);
});
