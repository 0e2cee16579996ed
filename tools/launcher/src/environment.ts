import { pathToFileURL } from 'node:url';
import type { ServiceName } from '@perennial/contracts';
import { toSha256 } from '@perennial/kernel';
import { type Layout, LOOPBACK, type StackEndpoints } from '@perennial/native-stack';

/** Who writes time: `wall` the clock of ingest, `events` only POST /v1/clock (backfills). */
export type ClockMode = 'wall' | 'events';

export interface ServiceEnvironmentInput {
  readonly service: ServiceName;
  readonly namespace: string;
  readonly clockMode: ClockMode;
  readonly secret: string;
  readonly endpoints: StackEndpoints;
  readonly port: number;
  /** Folders of the installation. */
  readonly folders: Pick<Layout, 'snapshotDir' | 'artifactsDir' | 'archiveDir'>;
  /** Further variables for every service of the namespace. */
  readonly extra: Readonly<Record<string, string>>;
}

/** There is one instance of each service, so after a crash it returns under the same name. */
const INSTANCE = '1';

/** The variables that configure a service; it inherits all others from the shell that starts it. */
export function toServiceEnvironment(input: ServiceEnvironmentInput): Record<string, string> {
  return {
    PERENNIAL_NAMESPACE: input.namespace,
    PERENNIAL_SECRET: input.secret,
    KAFKA_BROKERS: input.endpoints.kafkaBrokers,
    REDIS_URL: input.endpoints.redisUrl,
    POSTGRES_URL: input.endpoints.postgresUrl,
    HOST: LOOPBACK,
    PORT: String(input.port),
    INSTANCE_ID: INSTANCE,
    PERENNIAL_SNAPSHOTS: pathToFileURL(input.folders.snapshotDir).href,
    PERENNIAL_ARTIFACTS: pathToFileURL(input.folders.artifactsDir).href,
    ...(input.service === 'feature-store' ? { PERENNIAL_ARCHIVE: pathToFileURL(input.folders.archiveDir).href } : {}),
    ...(input.service === 'ingest' ? { PERENNIAL_CLOCK_MODE: input.clockMode } : {}),
    ...input.extra,
  };
}

/** Changes when the environment of a running service is outdated. */
export function toEnvironmentHash(environment: Readonly<Record<string, string>>): string {
  return toSha256(JSON.stringify(Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1))));
}
