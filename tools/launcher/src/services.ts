import type { ServiceName, StatefulServiceName } from '@perennial/contracts';
import type { OpenRebuild } from '@perennial/processor-host';
import type { RunnableConfig, ServiceDefinition } from '@perennial/service-host';
import type { RebuildArchive } from './rebuild-chain.js';

/** What a tool runs of a service. The configuration type is opaque: it is only passed back to the service. */
type AnyService = Pick<ServiceDefinition<RunnableConfig>, 'loadConfig' | 'createApp'>;

/** A service's part of a rebuild. */
export interface ServiceRebuild extends OpenRebuild {
  /** Archive of the service that keeps it. */
  readonly archive?: RebuildArchive;
}

/** A service with states. */
interface AnyStatefulService extends AnyService {
  openRebuild(config: RunnableConfig): Promise<ServiceRebuild>;
}

/** Loaders by service name. Only the requested services are loaded: together they take seconds. */
const SERVICE_MODULES = {
  ingest: () => import('@perennial/service-ingest'),
  'feature-store': () => import('@perennial/service-feature-store'),
  scoring: () => import('@perennial/service-scoring'),
  action: () => import('@perennial/service-action'),
} as const satisfies Record<ServiceName, () => Promise<{ readonly service: AnyService }>> &
  Record<StatefulServiceName, () => Promise<{ readonly service: AnyStatefulService }>>;

export async function loadService(name: ServiceName): Promise<AnyService> {
  return (await SERVICE_MODULES[name]()).service;
}

export async function loadStatefulService(name: StatefulServiceName): Promise<AnyStatefulService> {
  return (await SERVICE_MODULES[name]()).service;
}
