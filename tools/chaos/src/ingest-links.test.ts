import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import { IngestLinks } from './ingest-links.js';

describe('links before the front doors', () => {
  let ingest: Server;
  let port: number;
  let links: IngestLinks;
  let handled: number;

  beforeEach(async () => {
    handled = 0;
    ingest = createServer((_, response) => {
      handled++;
      response.end('{"success":true}');
    });
    await new Promise<void>((resolve) => ingest.listen(0, '127.0.0.1', resolve));
    port = (ingest.address() as AddressInfo).port;
    links = new IngestLinks();
  });
  afterEach(async () => {
    await links.close();
    await new Promise((resolve) => ingest.close(resolve));
  });

  async function findUrl(): Promise<string> {
    while (links.urlsOf([port]).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return must(links.urlsOf([port])[0], 'url');
  }
  const ask = async (url: string) => (await fetch(url, { headers: { connection: 'close' } })).text();

  it('forward what ingest answers, and find a new instance by themselves', async () => {
    expect(links.urlsOf([port])).toEqual([]);
    expect(await ask(await findUrl())).toBe('{"success":true}');
  });

  it('cut an answer whose request was handled, also before a ingest that comes later', async () => {
    links.set({ kind: 'cut', bytes: 20 });
    const url = await findUrl();
    await expect(ask(url)).rejects.toThrow();
    expect({ handled, cuts: links.cuts }).toEqual({ handled: 1, cuts: 1 });
    links.heal();
    expect(await ask(url)).toBe('{"success":true}');
    expect({ handled, cuts: links.cuts }).toEqual({ handled: 2, cuts: 1 });
  });
});
