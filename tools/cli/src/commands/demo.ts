import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { advanceClock, type BackfillResult, waitForQuiet } from '@perennial/backfill';
import { loadProfilePage } from '@perennial/client';
import { readOrders } from '@perennial/history';
import type { Log } from '@perennial/kafka';
import { loadNamespaceState, openLog, type Platform } from '@perennial/launcher';
import { readStateFile, toLayout, writeStateFile } from '@perennial/native-stack';
import { Command, Option } from 'commander';
import { backfillInto, toBackfillsFolder } from '../backfill.js';
import {
  ArchiveCopy,
  collectTally,
  type DemoReport,
  fetchDemoHistory,
  findExplained,
  renderReport,
  reportTrial,
  runTraffic,
  sendVisitor,
  type TrafficResult,
  toDemoReport,
  type Visitor,
  writeDemoPolicy,
} from '../demo/index.js';
import { readCounterBy } from '../metrics.js';
import { parseWhole } from '../options.js';
import { printLine, printNotice, printText } from '../output.js';
import { obtainWriteKey } from '../write-key.js';
import { up } from './up.js';

interface DemoOptions {
  readonly json?: string;
  readonly seconds: number;
  readonly rate: number;
  readonly oneProcess: boolean;
}

const NAMESPACE = 'demo';
/** A small number, for one machine: each hour of the history is a tick on each partition. */
const PARTITIONS = 4;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Live traffic begins at ten in the morning, UTC: outside the quiet hours of the default policy. */
const MORNING_MS = 10 * HOUR_MS;
const KNOWN_USERS_MAX = 500;

export function createDemoCommand(): Command {
  return new Command('demo')
    .option('--json <file>', 'write the report to this file too')
    .addOption(
      new Option('--seconds <n>', 'how long live traffic goes on')
        .argParser((text) => parseWhole(text, { min: 1, max: 50 }))
        .default(8),
    )
    .addOption(
      new Option('--rate <n>', 'events a second of live traffic')
        .argParser((text) => parseWhole(text, { min: 1, max: 1000 }))
        .default(100),
    )
    .option('--no-one-process', 'one process a service, instead of all in one')
    .addHelpText(
      'after',
      `
Everything happens in the namespace demo, whose time is that of the events. The history is the CDNOW sample out of the
PyPI package lifetimes; where that can't be had, a simulated one, and the report says so. A second demo goes on from the
first: new live traffic on the next day.

Examples:
  ./perennial demo
  ./perennial demo --json report.json && jq .latencyMs report.json
  ./perennial down --volumes && ./perennial demo     from the beginning`,
    )
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const startedMs = performance.now();
  const say = (message: string) => printNotice(`${toElapsed(startedMs)}  ${message}`);
  const aborted = new AbortController();
  const abort = () => aborted.abort();
  process.once('SIGINT', abort).once('SIGTERM', abort);

  say('purchase history: the CDNOW sample');
  const history = await fetchDemoHistory({ cacheFolder: toLayout().cacheDir });
  if (history.origin === 'simulated') say(history.note);
  say('Kafka, PostgreSQL, Redis and the services');
  const platform = await up({ namespace: NAMESPACE, oneProcess: options.oneProcess, ...toChoices() });
  const log = openLog(platform.endpoints);
  try {
    const writeKey = await obtainWriteKey(platform, 'demo');
    const run = { platform, log, writeKey, report: say, signal: aborted.signal };
    say(`backfilling ${history.note}`);
    const backfilled = await backfillInto({ ...run, file: history.path, via: 'http' });
    const live = await sendTraffic({ ...run, backfilled, history: history.path }, options);
    say('counting what came of it');
    const report = await toReport({ platform, log, backfilled, live, history, startedMs });
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    printLine();
    printText(renderReport(report, { namespace: NAMESPACE, urls: platform.urls }));
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
    await log.close();
  }
}

/** Partitions are fixed when the namespace is created: an existing one keeps its own. So it does a policy of somebody's choice. */
function toChoices(): { readonly partitions?: number; readonly policy?: string } {
  const layout = toLayout();
  const state = loadNamespaceState(layout.stateDir, NAMESPACE);
  const folder = join(toBackfillsFolder(layout), NAMESPACE);
  const policy = writeDemoPolicy({ root: layout.root, folder, chosen: state?.artifactPaths.policy });
  return {
    ...(state === undefined ? { partitions: PARTITIONS } : {}),
    ...(policy === undefined ? {} : { policy }),
  };
}

interface LiveResult {
  readonly traffic: TrafficResult;
  readonly visitor: Visitor;
}

interface LiveRun {
  readonly platform: Platform;
  readonly log: Log;
  readonly writeKey: string;
  readonly backfilled: BackfillResult;
  readonly history: string;
  readonly report: (message: string) => void;
  readonly signal: AbortSignal;
}

/** Live traffic in event time, on the morning after the log time, so that it continues the history. */
async function sendTraffic(run: LiveRun, { seconds, rate }: DemoOptions): Promise<LiveResult> {
  const { platform, log, writeKey, report, signal } = run;
  const address = { ingestUrl: platform.urls.ingest, writeKey, token: platform.token };
  const logTimeMs = Date.parse(run.backfilled.logTime ?? '1998-07-01T00:00:00Z');
  const startMs = toNextMorning(logTimeMs);
  await advanceClock(address, { toMs: startMs }, { signal });
  await waitForQuiet({ log, namespace: NAMESPACE, signal });
  report('a visitor looks around, signs in, and buys');
  const visitor = await sendVisitor({ ...address, startMs });
  report(`live traffic over HTTP for ${seconds} s, ${rate} events a second`);
  const traffic = await runTraffic({
    ...address,
    log,
    namespace: NAMESPACE,
    startMs,
    seconds,
    eventsPerSecond: rate,
    knownUsers: await readUsers(run.history),
    signal,
    onProgress: ({ sent, actions, secondsLeft }) =>
      report(`${sent} sent, ${actions} actions decided, ${Math.ceil(secondsLeft)} s left`),
  });
  await advanceClock(address, { toMs: startMs + HOUR_MS }, { signal });
  await waitForQuiet({ log, namespace: NAMESPACE, signal });
  return { traffic, visitor };
}

function toNextMorning(logTimeMs: number): number {
  return Math.floor(logTimeMs / DAY_MS) * DAY_MS + DAY_MS + MORNING_MS;
}

/** The last customers of the history: those likely to return. */
async function readUsers(file: string): Promise<string[]> {
  const history = await readOrders(file);
  const users = new Set<string>();
  for (let index = history.length - 1; index >= 0 && users.size < KNOWN_USERS_MAX; index--) {
    users.add(history.order(index).userId);
  }
  return [...users];
}

async function toReport({
  platform,
  log,
  backfilled,
  live,
  history,
  startedMs,
}: {
  platform: Platform;
  log: Log;
  backfilled: BackfillResult;
  live: LiveResult;
  history: DemoReport['history'] & { readonly path: string };
  startedMs: number;
}): Promise<DemoReport> {
  const copy = new ArchiveCopy();
  const tally = await collectTally(log, NAMESPACE, copy);
  const suppressed = await readCounterBy(
    { url: platform.urls.action, token: platform.token },
    'action_suppressed_total',
    'reason',
  );
  const { client } = platform;
  const trial = await reportTrial({ client, copy, namespace: NAMESPACE });
  const explained = await findExplained(client, await readUsers(history.path));
  const { orders, refunds, others } = backfilled;
  return toDemoReport({
    sent: orders + refunds + others + rememberLive(platform, backfilled, live),
    tally,
    suppressed,
    traffic: live.traffic,
    visitor: { ...live.visitor, page: await loadProfilePage(client, live.visitor.userId) },
    trial: trial ?? null,
    explained,
    history: { origin: history.origin, note: history.note },
    seconds: (performance.now() - startedMs) / 1000,
  });
}

/** Live events sent in all demos since the namespace was created: the topics hold those of earlier ones too. */
function rememberLive({ layout }: Platform, backfilled: BackfillResult, { traffic, visitor }: LiveResult): number {
  const path = join(toBackfillsFolder(layout), NAMESPACE, 'live.json');
  const before = backfilled.alreadyBackfilled ? (readStateFile<{ sent: number }>(path)?.sent ?? 0) : 0;
  const sent = before + traffic.sent + visitor.sent;
  writeStateFile(path, { sent });
  return sent;
}

function toElapsed(startedMs: number): string {
  return `${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s`;
}
