import { describe, expect, it } from '@jest/globals';
import type { Pool } from '@perennial/postgres';
import { createPlaceholderRepository } from './placeholder-repository.js';

interface Row {
  readonly id: string;
  readonly is_placeholder: boolean;
}

/** A table as PostgreSQL would keep it, for the statements of the repository. */
function createTable() {
  const rows = new Map<string, Row>();
  const statements: string[] = [];
  const query = async (sql: string, [id, isPlaceholder]: [string, boolean]): Promise<{ rows: Row[] }> => {
    statements.push(sql);
    if (sql.startsWith('DELETE')) rows.delete(id);
    else if (sql.startsWith('INSERT')) rows.set(id, { id, is_placeholder: isPlaceholder });
    else return { rows: [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
    return { rows: [] };
  };
  return { pool: { query } as unknown as Pool, statements };
}

describe('placeholder ids in PostgreSQL', () => {
  it('has nothing at first', async () => {
    const store = createPlaceholderRepository(createTable().pool, 'live_ingest');
    expect(await store.loadChanges()).toEqual({ added: [], allowed: [] });
  });

  it('keeps the last rule of each id, and none of what is taken back', async () => {
    const store = createPlaceholderRepository(createTable().pool, 'live_ingest');
    await store.set('shop-test', 'placeholder');
    await store.set('anna', 'placeholder');
    await store.set('guest', 'id');
    expect(await store.loadChanges()).toEqual({ added: ['anna', 'shop-test'], allowed: ['guest'] });
    await store.set('anna', 'id');
    await store.set('shop-test', 'built-in');
    await store.set('nobody', 'built-in');
    expect(await store.loadChanges()).toEqual({ added: [], allowed: ['anna', 'guest'] });
  });

  it('asks the table of its schema, quoted, and never has an id in the statement', async () => {
    const { pool, statements } = createTable();
    const store = createPlaceholderRepository(pool, 'my_ingest');
    await store.set("x'; --", 'placeholder');
    await store.set("x'; --", 'built-in');
    await store.loadChanges();
    expect(statements).toHaveLength(3);
    for (const sql of statements) {
      expect(sql).toContain('"my_ingest".placeholder_ids');
      expect(sql).not.toContain("x'");
    }
  });

  it('says which step is missing where there is no table', async () => {
    const query = async () => {
      throw Object.assign(new Error('relation does not exist'), { code: '42P01' });
    };
    const store = createPlaceholderRepository({ query } as unknown as Pool, 'live_ingest');
    await expect(store.loadChanges()).rejects.toMatchObject({ code: 'dependency_misconfigured' });
    await expect(store.set('a', 'id')).rejects.toThrow('run `main.js migrate` first');
  });
});
