import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pickPort, toLayout } from '@perennial/native-stack';
import { eventually } from './eventually.js';

const START_WAIT_MS_MAX = 120_000;
const STORE_PASSWORD = 'of-the-test-only';
export const USERNAME = 'app';
export const PASSWORD = 'a-password-of-the-test';

export interface SecureKafka {
  readonly brokers: string[];
  /** The broker's certificate, which signs itself. */
  readonly caFile: string;
  stop(): Promise<void>;
}

/** The jars of the native stack's Kafka; or why there can be no such broker, for the title of the skipped tests. */
export function findKafkaJars(): { readonly jars: string } | { readonly problem: string } {
  const { cacheDir } = toLayout();
  const name = existsSync(cacheDir) ? readdirSync(cacheDir).find((one) => one.startsWith('kafka-')) : undefined;
  if (name === undefined) return { problem: 'no Kafka in the cache' };
  const { error } = spawnSync('keytool', ['-help']);
  return error === undefined ? { jars: join(cacheDir, name, '*') } : { problem: 'no keytool' };
}

/** A broker with one listener for clients: TLS, and a name proved by PLAIN or SCRAM. */
export async function startSecureKafka(jars: string): Promise<SecureKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'secure-kafka-'));
  const [port, inner, controller] = [await pickPort(), await pickPort(), await pickPort()];
  const caFile = createCertificate(folder);
  const properties = join(folder, 'server.properties');
  writeFileSync(properties, toProperties({ folder, port, inner, controller }));
  const java = (...args: string[]) => ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', jars, ...args];
  const users = ['256', '512'].flatMap((bits) => [
    '--add-scram',
    `SCRAM-SHA-${bits}=[name=${USERNAME},password=${PASSWORD}]`,
  ]);
  const format = ['kafka.tools.StorageTool', 'format', '--cluster-id', 'secure-kafka-of-tests', '--config', properties];
  run('java', java(...format, ...users));
  const child = spawn('java', java('kafka.Kafka', properties), { stdio: 'ignore', cwd: folder });
  const stop = () => stopBroker(child, folder);
  try {
    await eventually(() => isOpen(port), { withinMs: START_WAIT_MS_MAX, what: 'Kafka listens' });
  } catch (error) {
    await stop();
    throw error;
  }
  return { brokers: [`localhost:${port}`], caFile, stop };
}

function createCertificate(folder: string): string {
  const store = ['-keystore', join(folder, 'broker.p12'), '-storepass', STORE_PASSWORD, '-alias', 'broker'];
  const names = ['-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost', '-ext', 'BC=ca:true'];
  run('keytool', ['-genkeypair', '-keyalg', 'EC', '-storetype', 'PKCS12', '-validity', '2', ...names, ...store]);
  const caFile = join(folder, 'ca.pem');
  run('keytool', ['-exportcert', '-rfc', '-file', caFile, ...store]);
  return caFile;
}

function toProperties(of: { folder: string; port: number; inner: number; controller: number }): string {
  const { folder, port, inner, controller } = of;
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=SECURE://127.0.0.1:${port},INNER://127.0.0.1:${inner},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=SECURE://localhost:${port},INNER://127.0.0.1:${inner}`,
    'listener.security.protocol.map=SECURE:SASL_SSL,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=INNER',
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    `listener.name.secure.plain.sasl.jaas.config=${plain} required user_${USERNAME}="${PASSWORD}";`,
    ...['256', '512'].map((bits) => `listener.name.secure.scram-sha-${bits}.sasl.jaas.config=${scram} required;`),
    `ssl.keystore.location=${join(folder, 'broker.p12')}`,
    `ssl.keystore.password=${STORE_PASSWORD}`,
    'ssl.keystore.type=PKCS12',
    `log.dirs=${join(folder, 'log')}`,
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'group.initial.rebalance.delay.ms=0',
  ].join('\n');
}

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stdout}${stderr}`);
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function stopBroker(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
}
