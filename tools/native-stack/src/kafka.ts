import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ensureCached } from './cache.js';
import { closeFolder } from './closed-folders.js';
import { startDaemon } from './daemon.js';
import { fetchArtifacts, verifySha256 } from './maven.js';
import type { PartContext, PartDriver } from './part.js';
import { LOOPBACK } from './ports.js';
import { runCommand } from './run-command.js';

const KAFKA_VERSION = '4.3.0';
const ARTIFACTS = [
  `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
  `org.apache.kafka:kafka-tools:${KAFKA_VERSION}`,
  // Without it Kafka logs nothing.
  'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3',
] as const;

/** Name of the cache's folder with Kafka's jars. */
export const KAFKA_CACHE = `kafka-${KAFKA_VERSION}`;

const HEAP = ['-Xms256m', '-Xmx512m'];
/**
 * Reduces the CPU time of a start (from about 5 s to 3 s) at the price of throughput: for stacks of a single test run.
 */
const QUICK_START = '-XX:TieredStopAtLevel=1';
/** What a crash of Java has to say goes to its output too; a core file would be as large as its memory. */
const NO_CRASH_FILES = ['-XX:+ErrorFileToStdout', '-XX:-CreateCoredumpOnCrash'];
const FORMAT_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;

/** Kafka in KRaft mode, one node that is broker and controller. */
export const kafkaDriver: PartDriver = {
  label: 'Kafka',
  option: '--kafka-port',
  preferredPort: 19_092,
  readyDeadlineMs: 180_000,
  stopSignal: 'SIGTERM',
  stopDeadlineMs: 15_000,

  async prepare({ cacheDir, onProgress }) {
    await ensureCached(cacheDir, KAFKA_CACHE, async (folder) => {
      onProgress(`fetching Kafka ${KAFKA_VERSION} with Maven (54 MB, once)`);
      await fetchArtifacts(ARTIFACTS, folder, { transitive: true });
      verifySha256(folder, readFileSync(new URL('../kafka-jars.sha256', import.meta.url), 'utf8'));
    });
  },

  async start(context) {
    const properties = join(context.dataDir, 'server.properties');
    const logging = join(context.dataDir, 'log4j2.properties');
    closeFolder(context.dataDir);
    writeFileSync(properties, toServerProperties(context));
    // Where earlier versions had it write its log.
    rmSync(join(context.dataDir, 'logs'), { recursive: true, force: true });
    writeFileSync(logging, LOGGING);
    const classpath = join(context.cacheDir, KAFKA_CACHE, '*');
    await formatOnce(context, { properties, logging, classpath });
    return startDaemon({
      command: 'java',
      args: [
        ...HEAP,
        ...(context.ephemeral ? [QUICK_START] : []),
        '-XX:+UseG1GC',
        '-XX:MaxGCPauseMillis=20',
        ...NO_CRASH_FILES,
        `-Dlog4j2.configurationFile=${logging}`,
        '-cp',
        classpath,
        'kafka.Kafka',
        properties,
      ],
      cwd: context.dataDir,
      env: process.env,
      marker: context.marker,
      logFile: context.logFile,
    });
  },

  probe: ({ port }) => askForApiVersions(port),
};

/** Formats an empty log folder. The mark is written last, so that an interrupted attempt is repeated. */
async function formatOnce(
  { dataDir, marker }: Pick<PartContext, 'dataDir' | 'marker'>,
  { properties, logging, classpath }: { properties: string; logging: string; classpath: string },
): Promise<void> {
  const mark = join(dataDir, 'formatted');
  if (existsSync(mark)) return;
  rmSync(join(dataDir, 'log'), { recursive: true, force: true });
  const clusterId = 'perennial-native-stack';
  const options = ['-Xmx128m', '-XX:TieredStopAtLevel=1', `-Dlog4j2.configurationFile=${logging}`, '-cp', classpath];
  await runCommand(
    'java',
    [...options, 'kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '--config', properties],
    { timeoutMs: FORMAT_TIMEOUT_MS, marker },
  );
  writeFileSync(mark, '');
}

/** One node: every internal topic has one replica, and groups start without waiting for more members. */
export function toServerProperties({
  port,
  controllerPort,
  kafkaDetour,
  dataDir,
}: Pick<PartContext, 'port' | 'controllerPort' | 'kafkaDetour' | 'dataDir'>): string {
  const listen = [`PLAINTEXT://${LOOPBACK}:${port}`];
  const advertise = [...listen];
  if (kafkaDetour !== undefined) {
    listen.push(`DETOUR://${LOOPBACK}:${kafkaDetour.port}`);
    advertise.push(`DETOUR://${LOOPBACK}:${kafkaDetour.advertisedPort}`);
  }
  const entries: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${LOOPBACK}:${controllerPort}`,
    listeners: `${listen.join(',')},CONTROLLER://${LOOPBACK}:${controllerPort}`,
    'advertised.listeners': advertise.join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,DETOUR:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(dataDir, 'log'),
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // Thread counts for a laptop, not for a server.
    'num.network.threads': 2,
    'num.io.threads': 4,
    'num.recovery.threads.per.data.dir': 2,
  };
  return `${Object.entries(entries)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}

/** To its output, which is kept small as that of every process is. */
export const LOGGING = `appender.out.type=Console
appender.out.name=out
appender.out.target=SYSTEM_OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
rootLogger.level=info
rootLogger.appenderRef.out.ref=out
`;

/** Sends an ApiVersions request (v0) and waits for the answer: the broker reads requests only once it is in service. */
function askForApiVersions(port: number): Promise<void> {
  const correlationId = 7;
  const request = Buffer.alloc(14);
  request.writeInt32BE(10, 0); // bytes that follow
  request.writeInt16BE(18, 4); // api key: ApiVersions
  request.writeInt16BE(0, 6); // version
  request.writeInt32BE(correlationId, 8);
  request.writeInt16BE(-1, 12); // no client id
  return new Promise((resolve, reject) => {
    const socket = connect(port, LOOPBACK, () => socket.write(request));
    const fail = (message: string) => {
      socket.destroy();
      reject(new Error(message));
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => fail(`no answer from port ${port}`));
    socket.once('error', (error) => fail(error.message));
    socket.once('close', () => fail('connection closed'));
    socket.once('data', (answer) => {
      const answered = answer.length >= 10 && answer.readInt32BE(4) === correlationId && answer.readInt16BE(8) === 0;
      if (!answered) return fail(`port ${port} does not speak Kafka's protocol`);
      resolve();
      socket.destroy();
    });
  });
}
