import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FaultyLink } from './proxy.js';

/** All bytes that a client receives until its connection ends, and how it ended. */
function exchange(port: number, text: string): Promise<{ answer: string; ended: string }> {
  return new Promise((resolve) => {
    let answer = '';
    let ended = 'closed';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += String(chunk);
      if (answer.endsWith('!')) socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      ended = error.code ?? 'error';
    });
    socket.on('close', () => resolve({ answer, ended }));
  });
}

describe('a faulty link', () => {
  let server: Server;
  let link: FaultyLink;
  const clients = new Set<Socket>();
  let heardByServer: string[];

  beforeEach(async () => {
    heardByServer = [];
    server = createServer((socket) => {
      clients.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        heardByServer.push(String(chunk));
        socket.write(`echo ${String(chunk)}!`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    link = await FaultyLink.listen({ host: '127.0.0.1', port });
  });

  afterEach(async () => {
    await link.close();
    for (const client of clients) client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('passes on what it gets', async () => {
    expect(await exchange(link.port, 'one')).toEqual({ answer: 'echo one!', ended: 'closed' });
  });

  it('delays', async () => {
    link.set({ kind: 'slow', delayMs: 40 });
    const startedMs = performance.now();
    expect((await exchange(link.port, 'two')).answer).toBe('echo two!');
    expect(performance.now() - startedMs).toBeGreaterThan(75);
  });

  it('resets old and new connections', async () => {
    const held = connect(link.port, '127.0.0.1');
    const code = new Promise((resolve) => held.on('error', (error: NodeJS.ErrnoException) => resolve(error.code)));
    await new Promise((resolve) => held.once('connect', resolve));
    while (link.connections === 0) await new Promise((resolve) => setImmediate(resolve));
    link.set({ kind: 'reset' });
    expect(await code).toBe('ECONNRESET');
    expect((await exchange(link.port, 'three')).answer).toBe('');
    link.heal();
    expect((await exchange(link.port, 'four')).answer).toBe('echo four!');
  });

  it('goes quiet without telling, and resets when it heals', async () => {
    link.set({ kind: 'half-open' });
    const waiting = exchange(link.port, 'five');
    const first = await Promise.race([waiting, new Promise((resolve) => setTimeout(() => resolve('silence'), 100))]);
    expect(first).toBe('silence');
    link.heal();
    expect(await waiting).toEqual({ answer: '', ended: 'ECONNRESET' });
  });

  it('cuts an answer in the middle', async () => {
    link.set({ kind: 'cut', bytes: 4 });
    expect((await exchange(link.port, 'six')).answer).toBe('echo');
  });

  it('loses what is open without telling anybody, and lets new connections pass', async () => {
    const lost = connect(link.port, '127.0.0.1');
    const heard: string[] = [];
    for (const event of ['data', 'end', 'error', 'close']) lost.on(event, () => heard.push(event));
    await new Promise((resolve) => lost.write('one', resolve));
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    link.lose();
    lost.end('two');
    expect((await exchange(link.port, 'three')).answer).toBe('echo three!');
    link.forgetLost();
    expect((await exchange(link.port, 'four')).answer).toBe('echo four!');
    expect(heard).toEqual(['data']);
    expect(heardByServer).toEqual(['one', 'three', 'four']);
    lost.destroy();
  });

  it('lets nothing overtake what it delayed', async () => {
    link.set({ kind: 'slow', delayMs: 100 });
    const socket = connect(link.port, '127.0.0.1');
    await new Promise((resolve) => socket.write('slow', resolve));
    while (link.connections === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 20));
    link.heal();
    socket.write('fast');
    while (heardByServer.join('') !== 'slowfast') await new Promise((resolve) => setTimeout(resolve, 5));
    socket.destroy();
  });
});
