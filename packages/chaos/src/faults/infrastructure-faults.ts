import { toTopic } from '@perennial/contracts';
import { systemClock } from '@perennial/kernel';
import type { LinkMode } from '../proxy.js';
import type { World } from '../world.js';
import type { Fault } from './fault.js';

const brokerKill: Fault = {
  name: 'broker-kill',
  row: 5,
  lane: 'infrastructure',
  async run({ stack }) {
    await stack.kill('kafka');
    await stack.revive();
    return 'killed and started again';
  },
};

const brokerAway: Fault = {
  name: 'broker-away',
  row: 5,
  lane: 'infrastructure',
  async run({ stack }, draw) {
    const seconds = draw.between(15, 60);
    await stack.kill('kafka');
    await systemClock.wait(seconds * 1000);
    await stack.revive();
    return `${seconds} s`;
  },
};

const redisKill: Fault = {
  name: 'redis-kill',
  row: 6,
  lane: 'infrastructure',
  async run({ stack }) {
    await stack.kill('redis');
    await stack.revive();
    return 'killed and started again';
  },
};

const redisLosesWrites: Fault = {
  name: 'redis-loses-writes',
  row: 6,
  lane: 'infrastructure',
  async run({ stack }, draw) {
    const bytes = draw.between(10_000, 400_000);
    await stack.kill('redis');
    stack.loseRedisWrites(bytes);
    await stack.revive();
    return `the last ${bytes} bytes`;
  },
};

const redisEmptied: Fault = {
  name: 'redis-emptied',
  row: 7,
  lane: 'infrastructure',
  async run({ redis }) {
    await redis.call('FLUSHALL');
    return 'FLUSHALL';
  },
};

const redisOutOfMemory: Fault = {
  name: 'redis-out-of-memory',
  row: 8,
  lane: 'infrastructure',
  async run({ redis }, draw) {
    const seconds = draw.between(3, 8);
    await redis.call('CONFIG', 'SET', 'maxmemory', '1');
    await systemClock.wait(seconds * 1000);
    await redis.call('CONFIG', 'SET', 'maxmemory', '0');
    return `${seconds} s`;
  },
};

const redisReadOnly: Fault = {
  name: 'redis-read-only',
  row: 8,
  lane: 'infrastructure',
  async run({ redis }, draw) {
    const seconds = draw.between(3, 8);
    // A replica of nobody: it keeps what it has and takes no writes.
    await redis.call('REPLICAOF', '127.0.0.1', '1');
    await systemClock.wait(seconds * 1000);
    await redis.call('REPLICAOF', 'NO', 'ONE');
    return `${seconds} s`;
  },
};

const postgresAway: Fault = {
  name: 'postgres-away',
  row: 9,
  lane: 'infrastructure',
  async run({ stack }, draw) {
    const seconds = draw.between(10, 60);
    await stack.kill('postgres');
    await systemClock.wait(seconds * 1000);
    await stack.revive();
    return `${seconds} s`;
  },
};

const postgresStopped: Fault = {
  name: 'postgres-restart',
  row: 9,
  lane: 'infrastructure',
  async run({ stack }) {
    await stack.kill('postgres');
    await stack.revive();
    return 'killed and started again';
  },
};

const poison: Fault = {
  name: 'poison',
  row: 13,
  lane: 'infrastructure',
  async run({ producer, namespace, partitions }, draw) {
    const topic = draw.pick(['eventAccepted', 'featureUpdated', 'scoreComputed'] as const);
    const partition = draw.between(0, partitions - 1);
    const value = Buffer.from(Array.from({ length: 64 }, () => draw.between(0, 255)));
    const key = Buffer.from(`poison-${draw.between(0, 1_000_000)}`);
    await producer.send([{ topic: toTopic(namespace, topic), partition, key, value, headers: {} }]);
    return `garbage on ${topic}`;
  },
};

/** A link that misbehaves for some seconds. */
function createLinkFault(kind: LinkMode['kind'], target: keyof World['links'], row: number): Fault {
  return {
    name: `${target}-link-${kind}`,
    row,
    lane: 'infrastructure',
    async run({ links }, draw) {
      const seconds = draw.between(3, 12);
      const mode: LinkMode =
        kind === 'slow' ? { kind, delayMs: 200 } : kind === 'cut' ? { kind, bytes: draw.between(1, 400) } : { kind };
      links[target].set(mode);
      await systemClock.wait(seconds * 1000);
      links[target].heal();
      return `${seconds} s`;
    },
  };
}

const LINK_FAULTS = (['kafka', 'redis', 'postgres'] as const).flatMap((target) => [
  createLinkFault('slow', target, { kafka: 10, redis: 8, postgres: 9 }[target]),
  createLinkFault('reset', target, 10),
  createLinkFault('half-open', target, 10),
  createLinkFault('cut', target, 10),
]);

export const INFRASTRUCTURE_FAULTS: readonly Fault[] = [
  brokerKill,
  brokerAway,
  redisKill,
  redisLosesWrites,
  redisEmptied,
  redisOutOfMemory,
  redisReadOnly,
  postgresAway,
  postgresStopped,
  poison,
  ...LINK_FAULTS,
];
