import { toPostgresSchema, toTopic } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { createStateReader, readPartitions } from '@perennial/keyed-processor';
import { loadModel, RUN_LIMITS } from '@perennial/onnx';
import { createCachedPseudonymizer, createPseudonymizer } from '@perennial/privacy';
import {
  createJobLease,
  defineProcessorApp,
  openProjections,
  type ProcessorApp,
  type ProcessorContext,
  type ServiceContext,
  type ServiceRoutes,
} from '@perennial/processor-host';
import { createSegmentStore } from './adapters/segment-store.js';
import { createTransitionStore } from './adapters/transition-store.js';
import { createScoringArtifacts } from './artifacts.js';
import type { ScoringConfig } from './config.js';
import { createSegmentChangedWriter } from './domain/segment-changed.js';
import { addScoringRoutes } from './http/routes.js';
import { createJoinedReader, withJoins } from './joins.js';
import { startPopulationRunner } from './population/population-runner.js';
import { createPopulationTelemetry } from './population/population-telemetry.js';
import { createPartitionReader } from './population/read-states.js';
import { createScoringProcessor, PROCESSOR_NAME } from './processor.js';
import { createSegmentTelemetry, startMemberCount } from './segment-metrics.js';
import { createScoringTelemetry } from './telemetry.js';

/** How long the population is not measured after the process that did was killed. */
const POPULATION_LEASE_MS = 120_000;
const POSTGRES_CONNECTIONS_MAX = 4;
/** User ids cached, so that a profile with several changes of stage and segments is unsealed once: some 15 us each time. */
const PSEUDONYMS_CACHED_MAX = 50_000;
const HISTORY_GROUP = 'scoring-transitions';
const SEGMENTS_GROUP = 'scoring-segments';

/** The service: the keyed processor over `feature.updated`, the history behind `stage.changed`, then HTTP. */
export const app: ProcessorApp<ScoringConfig> = defineProcessorApp({
  name: PROCESSOR_NAME,
  postgresConnectionsMax: POSTGRES_CONNECTIONS_MAX,
  createParts,
  openRoutes,
});

type Parts = ReturnType<typeof createParts>;

function createParts({ config, namespace, logger, metrics, artifactStore }: ProcessorContext<ScoringConfig>) {
  const telemetry = createScoringTelemetry(logger, metrics);
  const pseudonymizer = createCachedPseudonymizer(createPseudonymizer(config.secret), {
    entriesMax: PSEUDONYMS_CACHED_MAX,
  });
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const artifacts = createScoringArtifacts(artifactStore, {
    specs,
    loadGraph: (file, graph) =>
      loadModel(file, graph, {
        providers: config.providers,
        limits: RUN_LIMITS,
        onLost: telemetry.modelProcessLost,
      }),
    onModelLoaded: telemetry.modelLoaded,
    onConditionError: telemetry.conditionFailed,
  });
  const definition = withJoins(createScoringProcessor({ namespace, artifacts, specs, pseudonymizer, telemetry }), {
    scoreTopic: toTopic(namespace, 'scoreComputed'),
    toSegmentChanged: createSegmentChangedWriter(namespace, pseudonymizer),
  });
  return { definition, artifacts, telemetry, pseudonymizer, specs };
}

async function openRoutes(
  context: ServiceContext<ScoringConfig>,
  { definition, artifacts, telemetry, pseudonymizer, specs }: Parts,
): Promise<ServiceRoutes> {
  const { namespace, opener, redis, pool, partitions, logger, metrics } = context;
  const schema = toPostgresSchema(namespace, PROCESSOR_NAME);
  const transitions = createTransitionStore(pool, { schema, telemetry });
  const segmentTelemetry = createSegmentTelemetry(logger, metrics);
  const segments = createSegmentStore(pool, { schema, telemetry: segmentTelemetry });
  const project = openProjections(context, schema);
  const history = await project('history', HISTORY_GROUP, 'stageChanged', transitions.insert);
  const changes = await project('segments', SEGMENTS_GROUP, 'segmentChanged', segments.insert);
  const { decode } = definition.codec;
  const readStates = createStateReader(redis, {
    namespace,
    processor: PROCESSOR_NAME,
    partitions,
    decode,
    refresh: artifacts.loadSpecs,
  });
  await opener.releases.acquire(
    'member counts',
    async () => startMemberCount({ segments, telemetry: segmentTelemetry }),
    (running) => running.stop(),
  );
  await openPopulationRunner(context, { definition, artifacts, specs });
  const routes = {
    pseudonymizer,
    readStates: createJoinedReader(readStates),
    loadManifest: artifacts.manifest,
    transitions,
    lag: history.lag,
    segments,
    segmentLag: changes.lag,
    loadSegments: artifacts.segmentsInForce,
    loadPopulation: artifacts.population,
  };
  return {
    addTo: (server) => addScoringRoutes(server, routes),
    problems: () => [...history.problems(), ...changes.problems()],
  };
}

/** Measures the population for grids and rank tags in the background; nothing depends on it. */
async function openPopulationRunner(
  { namespace, partitions, opener, log, redis, logger, metrics, artifactStore: store }: ServiceContext<ScoringConfig>,
  { definition, artifacts, specs }: Pick<Parts, 'definition' | 'artifacts' | 'specs'>,
): Promise<void> {
  const producer = await log.createProducer();
  await opener.releases.acquire(
    'population',
    async () =>
      startPopulationRunner({
        ...{ namespace, artifacts, specs, store },
        telemetry: createPopulationTelemetry(logger, metrics),
        hold: createJobLease(redis, { namespace, job: 'population', leaseMs: POPULATION_LEASE_MS }).hold,
        readPartitions: () => readPartitions(redis, { namespace, processor: PROCESSOR_NAME, partitions }),
        readStates: createPartitionReader(redis, { namespace, decode: definition.codec.decode }),
        send: (records) => producer.send(records),
      }),
    (running) => running.stop(),
  );
}
