import { toTopic } from '@perennial/contracts';
import { systemClock } from '@perennial/kernel';
import type { Part } from '@perennial/native-stack';
import type { LinkMode } from '../proxy.js';
import type { World } from '../world.js';
import type { Draw, Fault } from './fault.js';

type Seconds = readonly [min: number, max: number];

function createKill(name: string, row: number, part: Part): Fault {
  return {
    name,
    row,
    lane: 'infrastructure',
    async run({ stack }) {
      await stack.kill(part);
      await stack.revive();
      return 'killed and started again';
    },
  };
}

/** A fault that lasts some seconds and is then undone. */
export function createHeld(
  name: string,
  row: number,
  how: {
    readonly seconds: Seconds;
    begin(world: World, draw: Draw): unknown;
    end(world: World): unknown;
    /** Additional text for the report, available once the fault is over. */
    tell?(world: World): string;
  },
): Fault {
  return {
    name,
    row,
    lane: 'infrastructure',
    async run(world, draw) {
      const seconds = draw.between(...how.seconds);
      await how.begin(world, draw);
      await systemClock.wait(seconds * 1000);
      await how.end(world);
      return `${seconds} s${how.tell?.(world) ?? ''}`;
    },
  };
}

function createAway(name: string, row: number, { part, seconds }: { part: Part; seconds: Seconds }): Fault {
  return createHeld(name, row, {
    seconds,
    begin: ({ stack }) => stack.kill(part),
    end: ({ stack }) => stack.revive(),
  });
}

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

const redisOutOfMemory = createHeld('redis-out-of-memory', 8, {
  seconds: [3, 8],
  begin: ({ redis }) => redis.call('CONFIG', 'SET', 'maxmemory', '1'),
  end: ({ redis }) => redis.call('CONFIG', 'SET', 'maxmemory', '0'),
});

const redisReadOnly = createHeld('redis-read-only', 8, {
  seconds: [3, 8],
  // A replica of an absent primary: it keeps its data and rejects writes.
  begin: ({ redis }) => redis.call('REPLICAOF', '127.0.0.1', '1'),
  end: ({ redis }) => redis.call('REPLICAOF', 'NO', 'ONE'),
});

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

/** A link fault that lasts some seconds. */
function createLinkFault(kind: LinkMode['kind'], target: keyof World['links'], row: number): Fault {
  return createHeld(`${target}-link-${kind}`, row, {
    seconds: [3, 12],
    begin: ({ links }, draw) => links[target].set(toMode(kind, draw)),
    end: ({ links }) => links[target].heal(),
  });
}

/** The clients of the link are never notified: they wait for replies that do not come. */
export function createLinkLost(name: string, linkOf: (world: World) => { lose(): void; forgetLost(): void }): Fault {
  return createHeld(`${name}-link-lost`, 10, {
    seconds: [12, 25],
    begin: (world) => linkOf(world).lose(),
    end: (world) => linkOf(world).forgetLost(),
  });
}

export function toMode(kind: LinkMode['kind'], draw: Draw): LinkMode {
  if (kind === 'slow') return { kind, delayMs: 200 };
  return kind === 'cut' ? { kind, bytes: draw.between(1, 400) } : { kind };
}

const LINK_FAULTS = (['kafka', 'redis', 'postgres'] as const).flatMap((target) => [
  createLinkFault('slow', target, { kafka: 10, redis: 8, postgres: 9 }[target]),
  createLinkFault('reset', target, 10),
  createLinkFault('half-open', target, 10),
  createLinkFault('cut', target, 10),
  createLinkLost(target, ({ links }) => links[target]),
]);

export const INFRASTRUCTURE_FAULTS: readonly Fault[] = [
  createKill('broker-kill', 5, 'kafka'),
  createAway('broker-away', 5, { part: 'kafka', seconds: [15, 60] }),
  createKill('redis-kill', 6, 'redis'),
  redisLosesWrites,
  redisEmptied,
  redisOutOfMemory,
  redisReadOnly,
  createAway('postgres-away', 9, { part: 'postgres', seconds: [10, 60] }),
  createKill('postgres-restart', 9, 'postgres'),
  poison,
  ...LINK_FAULTS,
];
