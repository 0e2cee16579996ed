import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AcceptedRecord } from '@perennial/contracts';
import { JoinedKeys } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import { type Database, toSqlText } from './database.js';

interface Source {
  readonly paths: readonly string[];
  readonly folder: string;
}

/**
 * Makes the tables of what the archive's end knows of events that came before:
 *
 * - `joined` (`profile_key`, `root_key`): the pseudonyms that are part of another profile, with that profile;
 * - `taken_back` (`profile_key`, `message_id`): events that somebody took back, by the pseudonym under which they came.
 *
 * Throws `data_damaged` for a record that cannot be decoded.
 */
export async function createKnownTables(database: Database, source: Source): Promise<void> {
  const joined = await readJoins(database, source.paths);
  const roots = [...joined.roots()];
  const joinedRows = roots.map(([profile_key, root_key]) => ({ profile_key, root_key }));
  await createTable(database, source, { name: 'joined', columns: ['profile_key', 'root_key'], rows: joinedRows });
  const takenBack = await readTakenBack(database, source.paths, joined);
  await createTable(database, source, { name: 'taken_back', columns: ['profile_key', 'message_id'], rows: takenBack });
}

async function createTable(
  database: Database,
  { folder }: Source,
  table: { readonly name: string; readonly columns: readonly string[]; readonly rows: readonly object[] },
): Promise<void> {
  const { name, columns, rows } = table;
  await database.query(`CREATE TABLE ${name} (${columns.map((column) => `${column} VARCHAR`).join(', ')})`);
  if (rows.length === 0) return;
  const file = join(folder, `${name}.ndjson`);
  await writeFile(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  const types = columns.map((column) => `${column}: 'VARCHAR'`).join(', ');
  await database.query(
    `INSERT INTO ${name} SELECT DISTINCT ${columns.join(', ')} FROM read_ndjson(${toSqlText(file)}, columns = {${types}})`,
  );
}

async function readJoins(database: Database, paths: readonly string[]): Promise<JoinedKeys> {
  const joined = new JoinedKeys();
  for (const record of await readRecords(database, paths, "kind = 'join' OR kind = 'unmerge' AND name = 'left'")) {
    if (record?.$case === 'join') {
      const { self, target, change } = record.value;
      if (self !== undefined && target !== undefined) joined.join({ self, target, change });
    } else if (record?.$case === 'unmerge') {
      const { self, other } = record.value;
      if (self !== undefined) joined.part({ self, other });
    }
  }
  return joined;
}

/** One that was taken back before it came may come under any id of the profile. */
async function readTakenBack(database: Database, paths: readonly string[], joined: JoinedKeys) {
  const members = new Map<string, string[]>();
  for (const [key, root] of joined.roots()) members.set(root, [...(members.get(root) ?? []), key]);
  return (await readRecords(database, paths, "kind = 'retraction'")).flatMap((record) => {
    if (record?.$case !== 'retraction' || record.value.copy || record.value.self === undefined) return [];
    const { self, messageId, original } = record.value;
    const root = joined.rootOf(self.key);
    const keys = original === undefined ? [root, ...(members.get(root) ?? [])] : [self.key];
    return keys.map((profile_key) => ({ profile_key, message_id: messageId }));
  });
}

/** In the order of the log for each key. */
async function readRecords(database: Database, paths: readonly string[], condition: string) {
  const rows = await database.query(
    `SELECT hex(record_value) AS record FROM read_parquet([${paths.map((path) => toSqlText(path)).join(', ')}])
     WHERE ${condition} ORDER BY partition, "offset"`,
  );
  return rows.map(({ record }) => decode(record));
}

function decode(hex: unknown): AcceptedRecord['record'] {
  try {
    return AcceptedRecord.decode(Buffer.from(String(hex), 'hex')).record;
  } catch (error) {
    throw new AppError('data_damaged', 'the archive holds a join or a retraction that cannot be decoded', {
      cause: error,
    });
  }
}
