import { afterAll, describe, expect, it } from '@jest/globals';
import { createRunName } from '../support/run-name.js';
import { createServiceRunner } from '../support/service-process.js';

/* Which ids stand for nobody, as an operator changes it, in a real PostgreSQL: the statements are not the fake's. */
describe('the placeholder ids of a namespace', () => {
  const namespace = `ph${createRunName()}`;
  const ingest = createServiceRunner('ingest');
  afterAll(() => ingest.killAll());

  const run = (...args: string[]) => ingest.command(namespace, ['placeholders', ...args]);
  const list = async () => JSON.parse(await run('list', '--json')) as unknown;

  it('are kept by the last rule of each id, until it is taken back', async () => {
    await ingest.command(namespace, ['migrate']);
    expect(await list()).toEqual({ added: [], allowed: [] });
    expect(await run('add', 'Shop-Test')).toBe('"shop-test" is a placeholder within ten seconds');
    await run('add', "o'hara; --");
    await run('allow', 'guest');
    await run('allow', 'guest');
    expect(await list()).toEqual({ added: ["o'hara; --", 'shop-test'], allowed: ['guest'] });
    expect(await run('allow', 'shop-test')).toBe('"shop-test" is an id within ten seconds');
    await run('reset', "o'hara; --");
    await run('reset', 'never-there');
    expect(await list()).toEqual({ added: [], allowed: ['guest', 'shop-test'] });
  }, 60_000);
});
