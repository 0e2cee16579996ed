import { ReleaseStack, retry } from '@perennial/kernel';
import type { StackEndpoints } from '@perennial/native-stack';
import type { GenericContainer } from 'testcontainers';

/** As in docker-compose.yml, and pinned by the same variables. */
const IMAGES = {
  kafka: process.env.KAFKA_IMAGE || 'apache/kafka:4.3.0',
  redis: process.env.REDIS_IMAGE || 'redis:7.2-bookworm',
  postgres: process.env.POSTGRES_IMAGE || 'postgres:17-bookworm',
} as const;
const PASSWORD = 'test-only';
const START_TIMEOUT_MS = 180_000;
/** Tries after the ports are open: three minutes in total. */
const PROBES = { initialMs: 100, maxMs: 1000, attemptsMax: 200 };
const PARTS = ['kafka', 'redis', 'postgres'] as const;

/** The stack on Docker by testcontainers, for tests; `stop` removes the containers. */
export async function startContainers(): Promise<StackEndpoints & { stop(): Promise<void> }> {
  // Its helper container removes what dead test runs left; we clean up ourselves, and need no further image.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  // Loaded here: it takes long, and no other command needs it.
  const { GenericContainer: ContainerClass } = await import('testcontainers');
  const { pickPort, probePart } = await import('@perennial/native-stack');
  const releases = new ReleaseStack();
  // Kafka must know its advertised port before it starts, so the port is chosen here.
  const kafkaPort = await pickPort();
  const kafka = createKafka(ContainerClass, kafkaPort);
  const redis = createRedis(ContainerClass);
  const postgres = createPostgres(ContainerClass);
  try {
    const start = (name: string, container: InstanceType<typeof GenericContainer>) =>
      releases.acquire(
        name,
        () => container.start(),
        async (started) => void (await started.stop()),
      );
    const results = await Promise.allSettled([
      start('kafka', kafka),
      start('redis', redis),
      start('postgres', postgres),
    ]);
    const [, redisResult, postgresResult] = results;
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined || redisResult.status === 'rejected' || postgresResult.status === 'rejected')
      throw failed?.reason;
    const ports = {
      kafka: kafkaPort,
      redis: redisResult.value.getMappedPort(6379),
      postgres: postgresResult.value.getMappedPort(5432),
    } as const;
    // Readiness by probing, not by log lines, which differ between images.
    await Promise.all(
      PARTS.map((part) => retry(() => probePart(part, { port: ports[part], password: PASSWORD }), PROBES)),
    );
    return {
      kafkaBrokers: `127.0.0.1:${kafkaPort}`,
      redisUrl: `redis://:${PASSWORD}@127.0.0.1:${ports.redis}`,
      postgresUrl: `postgres://perennial:${PASSWORD}@127.0.0.1:${ports.postgres}/perennial`,
      stop: () => releases.dispose(),
    };
  } catch (error) {
    await releases.dispose();
    throw error;
  }
}

type Container = typeof GenericContainer;

function createKafka(ContainerClass: Container, kafkaPort: number) {
  return new ContainerClass(IMAGES.kafka)
    .withExposedPorts({ container: 9092, host: kafkaPort })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${kafkaPort}`,
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    })
    .withStartupTimeout(START_TIMEOUT_MS);
}

function createRedis(ContainerClass: Container) {
  return new ContainerClass(IMAGES.redis)
    .withExposedPorts(6379)
    .withCommand([
      'redis-server',
      '--requirepass',
      PASSWORD,
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--maxmemory-policy',
      'noeviction',
    ])
    .withStartupTimeout(START_TIMEOUT_MS);
}

function createPostgres(ContainerClass: Container) {
  return new ContainerClass(IMAGES.postgres)
    .withExposedPorts(5432)
    .withEnvironment({ POSTGRES_USER: 'perennial', POSTGRES_PASSWORD: PASSWORD, POSTGRES_DB: 'perennial' })
    .withStartupTimeout(START_TIMEOUT_MS);
}
