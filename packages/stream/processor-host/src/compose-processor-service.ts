import type { ProcessorConfig } from '@perennial/config';
import type { ProcessorName } from '@perennial/contracts';
import { openSnapshotSettings, startProcessor } from '@perennial/keyed-processor';
import type { Pool } from '@perennial/postgres';
import {
  type App,
  composeApp,
  createHttpServer,
  type FastifyInstance,
  listen,
  openAccess,
  openPool,
  toReadiness,
} from '@perennial/service-host';
import { createLogger, createMetrics } from '@perennial/telemetry';
import { type OpenContext, openContext, type ProcessorContext, type ProcessorParts } from './open-context.js';

/** What a processor depends on: its stores, and the tables of its service. */
export interface ServiceContext<Config extends ProcessorConfig> extends OpenContext<Config> {
  /** Connects on first use, so that no processor stops when PostgreSQL is unavailable. */
  readonly pool: Pool;
}

export interface ServiceRoutes {
  addTo(server: FastifyInstance): void;
  /** What stands still of the parts beside the processor, since when and why; empty when nothing does. */
  problems(): readonly string[];
}

/** The parts in which services differ. */
export interface ProcessorServiceParts<Config extends ProcessorConfig, Parts extends ProcessorParts> {
  readonly name: ProcessorName;
  /** Shared by projections (one connection a partition), HTTP queries and token look-ups. */
  readonly postgresConnectionsMax: number;
  createParts(context: ProcessorContext<Config>): Parts;
  /**
   * Starts what depends on the processor (projections, an archive) and returns the function that adds the routes. They
   * may fall behind while the processor continues, but one that stands still makes the service unready.
   */
  openRoutes(context: ServiceContext<Config>, parts: Parts): Promise<ServiceRoutes>;
}

/** A service with one keyed processor: opens stores, processor, dependents, then HTTP; releases them in reverse. */
export function composeProcessorService<Config extends ProcessorConfig, Parts extends ProcessorParts>(
  config: Config,
  service: ProcessorServiceParts<Config, Parts>,
): App {
  const { name, postgresConnectionsMax } = service;
  const { namespace, instanceId, logLevel: level, logFile: file } = config;
  const metrics = createMetrics({ service: name, namespace });
  const logger = createLogger({ service: name, namespace, instanceId, level, file, metrics });

  return composeApp(logger, async (releases) => {
    const clientId = `${name}-${instanceId}`;
    const context = await openContext(name, config, { logger, metrics, releases, clientId });
    const { log, redis, opener } = context;
    const parts = service.createParts(context);
    const { definition } = parts;
    const snapshots = await openSnapshotSettings(config.snapshots);
    const processor = await releases.acquire(
      'processor',
      () => startProcessor({ definition, namespace, log, redis, logger, metrics, snapshots }),
      (running) => running.stop(),
    );
    const pool = openPool(opener, { ...config.postgres, connectionsMax: postgresConnectionsMax });
    const routes = await service.openRoutes({ ...context, pool }, parts);
    const server = createHttpServer({
      logger,
      metrics,
      metricsAccess: config.http.metricsAccess,
      access: openAccess(pool, namespace),
      readiness: () => toReadiness([...processor.problems(), ...routes.problems()], processor.notes()),
    });
    routes.addTo(server);
    releases.push('http', () => server.close());
    return listen(server, config.http);
  });
}
