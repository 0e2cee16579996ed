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

/** What stands behind a processor: its stores, and the tables of its service. */
export interface ServiceContext<Config extends ProcessorConfig> extends OpenContext<Config> {
  /** Connects when it is first used: PostgreSQL away stops no processor. */
  readonly pool: Pool;
}

/** The service's own parts of what is otherwise alike. */
export interface ProcessorServiceParts<Config extends ProcessorConfig, Parts extends ProcessorParts> {
  readonly name: ProcessorName;
  /** Projections (one a partition at a time), HTTP queries and the look-up of tokens share them. */
  readonly postgresConnectionsMax: number;
  createParts(context: ProcessorContext<Config>): Parts;
  /**
   * Starts what follows the processor (projections, an archive) and gives what adds the routes. None of it is part of
   * readiness: what follows may fall behind, and the hot path goes on alone.
   */
  openRoutes(context: ServiceContext<Config>, parts: Parts): Promise<(server: FastifyInstance) => void>;
}

/** A service with one keyed processor: stores, processor, what follows it, then HTTP; given back in reverse. */
export function composeProcessorService<Config extends ProcessorConfig, Parts extends ProcessorParts>(
  config: Config,
  service: ProcessorServiceParts<Config, Parts>,
): App {
  const { name, postgresConnectionsMax } = service;
  const { namespace, instanceId, logLevel } = config;
  const logger = createLogger({ service: name, namespace, instanceId, level: logLevel });

  return composeApp(logger, async (releases) => {
    const metrics = createMetrics({ service: name, namespace });
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
    const addRoutes = await service.openRoutes({ ...context, pool }, parts);
    const server = createHttpServer({
      logger,
      metrics,
      metricsAccess: config.http.metricsAccess,
      access: openAccess(pool, namespace),
      readiness: () => toReadiness(processor.problems()),
    });
    addRoutes(server);
    releases.push('http', () => server.close());
    return listen(server, config.http);
  });
}
