import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MESSAGE_IDS_MAX } from '@perennial/feature-engine';
import { findMiscounts } from './count-once.js';

describe('counting each accepted event once', () => {
  const counts: Record<string, number> = { ada: 2, ben: 3, cy: 0 };
  let server: Server;
  let url: string;
  let failures: number[] = [];

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const body = await new Response(request as unknown as ReadableStream).text();
      const failure = failures.shift();
      if (failure !== undefined) {
        response.writeHead(failure).end();
        return;
      }
      const { userIds } = JSON.parse(body) as { userIds: string[] };
      const profiles = userIds.map((userId) => ({ userId, features: { events_count_all: counts[userId] } }));
      response.end(JSON.stringify({ profiles }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('is what the features say, of those that were accepted', async () => {
    expect(await findMiscounts({ url, token: 'pt_x' }, new Map([['ada', 2]]))).toEqual([]);
  });

  it('is asked again when the features could not be read, and not when the question was wrong', async () => {
    failures = [503, 503];
    const question = new Map([['ada', 2]]);
    expect(await findMiscounts({ url, token: 'pt_x' }, question)).toEqual([]);
    failures = [400];
    await expect(findMiscounts({ url, token: 'pt_x' }, question)).rejects.toThrow('feature-store answers 400');
  });

  it('is not asked of users of whom not all ids are remembered', async () => {
    const hot = (events: number) => new Map([['ben', events]]);
    expect(await findMiscounts({ url, token: 'pt_x' }, hot(MESSAGE_IDS_MAX + 1))).toEqual([]);
    expect(await findMiscounts({ url, token: 'pt_x' }, hot(MESSAGE_IDS_MAX))).toEqual(['ben counts 3 of 4096 events']);
  });

  it('names who has one twice, and who lacks one', async () => {
    const wanted = new Map([
      ['ada', 2],
      ['ben', 2],
      ['cy', 1],
    ]);
    expect(await findMiscounts({ url, token: 'pt_x' }, wanted)).toEqual([
      'ben counts 3 of 2 events',
      'cy counts 0 of 1 events',
    ]);
  });
});
