import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AcceptedRecord } from '@perennial/contracts';
import { JoinedKeys } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import { type Database, toSqlText } from './database.js';

/**
 * Makes the table `joined` (`profile_key`, `root_key`): the pseudonyms that are part of another profile at the archive's
 * end, with that profile. Throws `data_damaged` for a record that cannot be decoded.
 */
export async function createJoinedTable(
  database: Database,
  { paths, folder }: { readonly paths: readonly string[]; readonly folder: string },
): Promise<void> {
  const joined = await readJoins(database, paths);
  await database.query('CREATE TABLE joined (profile_key VARCHAR, root_key VARCHAR)');
  const rows = [...joined.roots()].map(([profile_key, root_key]) => JSON.stringify({ profile_key, root_key }));
  if (rows.length === 0) return;
  const file = join(folder, 'joined.ndjson');
  await writeFile(file, rows.join('\n'));
  await database.query(
    `INSERT INTO joined SELECT profile_key, root_key
     FROM read_ndjson(${toSqlText(file)}, columns = {profile_key: 'VARCHAR', root_key: 'VARCHAR'})`,
  );
}

async function readJoins(database: Database, paths: readonly string[]): Promise<JoinedKeys> {
  const rows = await database.query(
    `SELECT hex(record_value) AS record FROM read_parquet([${paths.map((path) => toSqlText(path)).join(', ')}])
     WHERE kind = 'join' OR kind = 'unmerge' AND name = 'left' ORDER BY partition, "offset"`,
  );
  const joined = new JoinedKeys();
  for (const row of rows) takeRecord(joined, row.record);
  return joined;
}

function takeRecord(joined: JoinedKeys, hex: unknown): void {
  const record = decode(hex);
  if (record?.$case === 'join') {
    const { self, target, change } = record.value;
    if (self !== undefined && target !== undefined) joined.join({ self, target, change });
  } else if (record?.$case === 'unmerge') {
    const { self, other } = record.value;
    if (self !== undefined) joined.part({ self, other });
  }
}

function decode(hex: unknown): AcceptedRecord['record'] {
  try {
    return AcceptedRecord.decode(Buffer.from(String(hex), 'hex')).record;
  } catch (error) {
    throw new AppError('data_damaged', 'the archive holds a join that cannot be decoded', { cause: error });
  }
}
