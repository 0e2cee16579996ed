import { join } from 'node:path';
import { openRowLedger, runBackfill } from '@perennial/backfill';
import { HEADERS, type ServiceName, toPostgresSchema, toTopic } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { ensurePlatform, loadNamespaceState, type Platform } from '@perennial/launcher';
import { withPool } from '@perennial/postgres';
import type { TestEnvironment } from './environment.js';
import { readTopic } from './read-topic.js';

/** All visible results of a namespace after a backfill, in a form that can be compared between two runs. */
export interface NamespaceResult {
  readonly features: ReadonlyArray<{
    readonly userId: string;
    readonly known: boolean;
    readonly asOf: string;
    readonly features: Readonly<Record<string, number | null>>;
  }>;
  readonly profiles: readonly unknown[];
  readonly transitions: readonly string[];
  readonly actions: readonly string[];
}

/** Users per request: the limit of the feature-store. */
const FEATURES_AT_ONCE = 1000;

/** Services of a fresh namespace on the test stack. */
export async function startNamespace(options: {
  environment: TestEnvironment;
  root: string;
  home: string;
  namespace: string;
}): Promise<Platform> {
  const { brokers, redisUrl, postgresUrl } = options.environment;
  return ensurePlatform({
    root: options.root,
    home: options.home,
    namespace: options.namespace,
    partitions: 3,
    endpoints: { kafkaBrokers: brokers.join(','), redisUrl, postgresUrl },
  });
}

export async function backfillFile(
  platform: Platform,
  log: Log,
  options: { file: string; untilMs?: number; via?: 'http' | 'kafka'; onSent?: (share: number) => void },
) {
  const { namespace, layout } = platform;
  const created = await platform.runCommand('ingest', [
    'sources',
    'create',
    '--name',
    `backfill-${Date.now()}`,
    '--rate',
    'unlimited',
    '--json',
  ]);
  const { writeKey } = JSON.parse(created) as { writeKey: string };
  const pool = { url: platform.endpoints.postgresUrl, applicationName: 'test-backfill', connectionsMax: 1 };
  return withPool(pool, async (ledgerPool) =>
    runBackfill({
      namespace,
      log,
      writeKey,
      token: platform.token,
      file: options.file,
      untilMs: options.untilMs,
      via: options.via ?? 'http',
      ingestUrl: () => findUrl(platform, 'ingest'),
      ledger: await openRowLedger(ledgerPool, toPostgresSchema(namespace, 'backfill')),
      progressFolder: join(layout.home, 'backfills', namespace),
      onProgress(progress) {
        if (progress.kind === 'sending') options.onSent?.(progress.sent / progress.events);
      },
    }),
  );
}

/** Current address of a service: after a restart its port may differ. */
function findUrl({ layout, namespace }: Platform, service: ServiceName): string {
  const port = loadNamespaceState(layout.stateDir, namespace)?.ports[service];
  return `http://127.0.0.1:${must(port, `port of ${service}`)}`;
}

/** Reads features, stages, transitions and actions; ids that carry the namespace's name are left out, repeats dropped. */
export async function readNamespaceResult(
  platform: Platform,
  log: Log,
  userIds: readonly string[],
): Promise<NamespaceResult> {
  const { namespace } = platform;
  const features = await readFeatures(platform, userIds);
  const profiles = await Promise.all(userIds.map((userId) => platform.client.call('getProfile', { path: { userId } })));
  return {
    features,
    profiles,
    transitions: await readEdge(log, toTopic(namespace, 'stageChanged')),
    actions: await readEdge(log, toTopic(namespace, 'actionDecided')),
  };
}

/** Feature vectors by the batch form, in order. */
export async function readFeatures(
  platform: Platform,
  userIds: readonly string[],
): Promise<NamespaceResult['features']> {
  const features: Array<NamespaceResult['features'][number]> = [];
  for (let from = 0; from < userIds.length; from += FEATURES_AT_ONCE) {
    const body = { userIds: userIds.slice(from, from + FEATURES_AT_ONCE) };
    const { profiles } = await platform.client.call('getFeaturesOfMany', { body });
    features.push(...profiles);
  }
  return features;
}

/** The records of an edge topic without repeats of an id: throws when one id has two contents. */
async function readEdge(log: Log, topic: string): Promise<string[]> {
  const seen = new Map<string, string>();
  for (const { headers, value } of await readTopic(log, topic)) {
    const id = headers.ce_id ?? headers[HEADERS.position] ?? '';
    const { actionId: _actionId, ...data } = JSON.parse(String(value)) as Record<string, unknown>;
    const content = JSON.stringify(data);
    const before = seen.get(id);
    if (before !== undefined && before !== content)
      throw new Error(`${topic}: ${id} has two contents: ${before} and ${content}`);
    seen.set(id, content);
  }
  return [...seen.values()].sort();
}
