import { join } from 'node:path';
import { createRandomToken } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { type Layout, readStateFile, writeStateFile } from '@perennial/native-stack';
import { type CreatedSource, createSource } from './commands/sources.js';

/** Keys are useless once the data is removed. */
export function toWriteKeysFolder({ stateDir }: Layout): string {
  return join(stateDir, 'write-keys');
}

/** The command line's own sources wait for the log by themselves: a rate would only slow a backfill down. */
const RATE = 'unlimited';

/**
 * The write key of the command line's own source, kept in the state folder (mode 0600). A kept key that ingest no
 * longer knows (its data was removed, or the source revoked) is replaced by a new one, and so is one from before
 * sources had a default rate.
 */
export async function obtainWriteKey(platform: Platform, name: string): Promise<string> {
  const path = join(toWriteKeysFolder(platform.layout), `${platform.namespace}-${name}.json`);
  const kept = readStateFile<{ writeKey: string; rate?: string }>(path);
  if (kept?.rate === RATE && (await isAccepted(platform, kept.writeKey))) return kept.writeKey;
  const { writeKey } = await createFreshSource(platform, name);
  writeStateFile(path, { writeKey, rate: RATE });
  return writeKey;
}

/** Names are unique for ever, and a key is shown once: if the key is lost, the source gets another name. */
async function createFreshSource(platform: Platform, name: string): Promise<CreatedSource> {
  const listed = await platform.runCommand('ingest', ['sources', 'list', '--json']);
  const { sources } = JSON.parse(listed.trim().split('\n').at(-1) ?? '{}') as { sources?: Array<{ name: string }> };
  const isTaken = sources?.some((source) => source.name === name) ?? false;
  const suffix = isTaken ? `-${createRandomToken().slice(0, 6).replace(/[-_]/g, 'x')}` : '';
  return createSource(platform, `${name}${suffix}`, { rate: RATE });
}

async function isAccepted(platform: Platform, writeKey: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${writeKey}`, 'content-type': 'application/json' };
  // An empty batch changes nothing, and is rejected when the key is unknown.
  const request = { method: 'POST', headers, body: '{"batch":[]}' };
  const response = await fetch(new URL('/v1/batch', platform.urls.ingest), request);
  await response.arrayBuffer();
  return response.status !== 401;
}
