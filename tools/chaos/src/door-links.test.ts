import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import { DoorLinks } from './door-links.js';

describe('links before the front doors', () => {
  let door: Server;
  let port: number;
  let links: DoorLinks;
  let handled: number;

  beforeEach(async () => {
    handled = 0;
    door = createServer((_, response) => {
      handled++;
      response.end('{"success":true}');
    });
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    port = (door.address() as AddressInfo).port;
    links = new DoorLinks();
  });
  afterEach(async () => {
    await links.close();
    await new Promise((resolve) => door.close(resolve));
  });

  async function findUrl(): Promise<string> {
    while (links.urlsOf([port]).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return must(links.urlsOf([port])[0], 'url');
  }
  const ask = async (url: string) => (await fetch(url, { headers: { connection: 'close' } })).text();

  it('pass on what doors say, and find a new door by themselves', async () => {
    expect(links.urlsOf([port])).toEqual([]);
    expect(await ask(await findUrl())).toBe('{"success":true}');
  });

  it('cut an answer whose request was handled, also before a door that comes later', async () => {
    links.set({ kind: 'cut', bytes: 20 });
    const url = await findUrl();
    await expect(ask(url)).rejects.toThrow();
    expect({ handled, cuts: links.cuts }).toEqual({ handled: 1, cuts: 1 });
    links.heal();
    expect(await ask(url)).toBe('{"success":true}');
    expect({ handled, cuts: links.cuts }).toEqual({ handled: 2, cuts: 1 });
  });
});
