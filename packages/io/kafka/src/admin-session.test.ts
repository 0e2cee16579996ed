import { describe, expect, it } from '@jest/globals';
import { createAdminSession } from './admin-session.js';

function createAdmins() {
  const opened: Array<{ closed: boolean; disconnect(): Promise<void> }> = [];
  const open = async () => {
    const admin = {
      closed: false,
      async disconnect() {
        admin.closed = true;
      },
    };
    opened.push(admin);
    return admin;
  };
  return { opened, session: createAdminSession(open, { answerMs: 50 }) };
}

describe('an admin session', () => {
  it('asks over one connection', async () => {
    const { opened, session } = createAdmins();
    expect(await Promise.all([session.ask('a', async () => 1), session.ask('b', async () => 2)])).toEqual([1, 2]);
    expect(opened).toHaveLength(1);
    await session.close();
    expect(opened[0]?.closed).toBe(true);
  });

  it('opens another one after a failure', async () => {
    const { opened, session } = createAdmins();
    const failing = session.ask('offsets of x', async () => {
      throw new Error('broken');
    });
    await expect(failing).rejects.toMatchObject({ code: 'dependency_unavailable', retriable: true });
    expect(await session.ask('a', async () => 1)).toBe(1);
    expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
  });

  it('gives up on an answer that never comes', async () => {
    const { opened, session } = createAdmins();
    const silent = session.ask('offsets of x', () => new Promise(() => undefined));
    await expect(silent).rejects.toMatchObject({
      retriable: true,
      message: expect.stringMatching(/offsets of x.*50 ms/),
    });
    expect(await session.ask('a', async () => 1)).toBe(1);
    expect(opened).toHaveLength(2);
  });

  it('gives up on a connection that never opens', async () => {
    const session = createAdminSession<{ disconnect(): Promise<void> }>(() => new Promise(() => undefined), {
      answerMs: 50,
    });
    await expect(session.ask('offsets of x', async () => 1)).rejects.toMatchObject({ retriable: true });
  });
});
