import type { Log, LogProducer } from '@perennial/kafka';
import type { Platform } from '@perennial/launcher';
import type { Redis } from '@perennial/redis';
import type { Fleet } from './fleet.js';
import type { IngestLinks } from './ingest-links.js';
import type { FaultyLink } from './proxy.js';
import type { StackControl } from './stack-control.js';
import type { Workload } from './workload.js';

/** Everything that a fault can act on. */
export interface World {
  /** Its endpoints and its commands bypass the links. */
  readonly platform: Platform;
  readonly fleet: Fleet;
  readonly stack: StackControl;
  /** Links between the services and their dependencies. */
  readonly links: Readonly<Record<'kafka' | 'redis' | 'postgres', FaultyLink>>;
  /** Links between the clients and the front doors. */
  readonly ingestLinks: IngestLinks;
  readonly workload: Workload;
  /** Bypasses the links. */
  readonly redis: Redis;
  readonly log: Log;
  /** Bypasses the links; writes what the commands would reject. */
  readonly producer: LogProducer;
  readonly partitions: number;
  readonly namespace: string;
}
