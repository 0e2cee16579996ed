import type { Log, LogProducer } from '@perennial/kafka';
import type { Platform } from '@perennial/launcher';
import type { Redis } from '@perennial/redis';
import type { Fleet } from './fleet.js';
import type { IngestLinks } from './ingest-links.js';
import type { FaultyLink } from './proxy.js';
import type { StackControl } from './stack-control.js';
import type { Workload } from './workload.js';

/** Everything that a fault can be done to. */
export interface World {
  /** Its endpoints and its commands go past the links. */
  readonly platform: Platform;
  readonly fleet: Fleet;
  readonly stack: StackControl;
  /** Between the services and what they stand on. */
  readonly links: Readonly<Record<'kafka' | 'redis' | 'postgres', FaultyLink>>;
  /** Between the clients and the front doors. */
  readonly ingestLinks: IngestLinks;
  readonly workload: Workload;
  /** Past the links. */
  readonly redis: Redis;
  readonly log: Log;
  /** Past the links, for what nobody should write. */
  readonly producer: LogProducer;
  readonly partitions: number;
  readonly namespace: string;
}
