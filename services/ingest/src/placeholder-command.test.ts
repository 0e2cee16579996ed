import { describe, expect, it } from '@jest/globals';
import type { PlaceholderRepository, PlaceholderRule } from './adapters/placeholder-repository.js';
import { runPlaceholderCommand } from './placeholder-command.js';

const CHANGES_MAX = 1_000;

function createStore(count: number): PlaceholderRepository {
  const rules = new Map<string, PlaceholderRule>(
    Array.from({ length: count }, (_, index) => [`p${index}`, 'placeholder']),
  );
  const pick = (rule: PlaceholderRule) => [...rules].filter(([, own]) => own === rule).map(([id]) => id);
  return {
    loadChanges: async () => ({ added: pick('placeholder'), allowed: pick('id') }),
    async set(id, rule) {
      if (rule === 'built-in') rules.delete(id);
      else rules.set(id, rule);
    },
  };
}

async function run(store: PlaceholderRepository, ...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  await runPlaceholderCommand(args, { store, print: (line) => lines.push(line) });
  return lines;
}

describe('placeholders', () => {
  it('says what an id is from now on', async () => {
    const store = createStore(0);
    expect(await run(store, 'add', ' Shop-Test ')).toEqual(['"shop-test" is a placeholder within ten seconds']);
    expect(await run(store, 'allow', 'guest')).toEqual(['"guest" is an id within ten seconds']);
    expect(await run(store, 'reset', 'guest')).toEqual(['"guest" is a placeholder within ten seconds']);
    expect(await run(store, 'list', '--json')).toEqual(['{"added":["shop-test"],"allowed":[]}']);
  });

  it('can be taken back and changed when there is room for no further one', async () => {
    const store = createStore(CHANGES_MAX);
    await expect(run(store, 'add', 'one-more')).rejects.toThrow(`there are ${CHANGES_MAX} changes`);
    expect(await run(store, 'allow', 'p1')).toEqual(['"p1" is an id within ten seconds']);
    expect(await run(store, 'reset', 'p0')).toEqual(['"p0" is an id within ten seconds']);
    expect(await run(store, 'add', 'one-more')).toEqual(['"one-more" is a placeholder within ten seconds']);
  });

  it.each([[['shift']], [['add']], [['add', 'a', 'b']], [['add', ' ']], [['add', 'x'.repeat(65)]]])(
    'rejects %j',
    async (args) => {
      await expect(run(createStore(0), ...args)).rejects.toMatchObject({ code: 'config_invalid' });
    },
  );
});
