import { toPostgresSchema } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { createStateReader } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import {
  defineProcessorApp,
  openProjections,
  type ProcessorApp,
  type ProcessorContext,
  type ServiceContext,
  type ServiceRoutes,
} from '@perennial/processor-host';
import { createExposures } from './adapters/exposures.js';
import { createLedger } from './adapters/ledger.js';
import { createActionArtifacts } from './artifacts.js';
import type { ActionConfig } from './config.js';
import { addContactRoutes } from './http/contact-routes.js';
import { addExperimentRoutes } from './http/experiment-routes.js';
import { addExplanationRoutes } from './http/explanation-routes.js';
import { addActionRoutes } from './http/routes.js';
import { withJoins } from './joins.js';
import { createActionProcessor, PROCESSOR_NAME } from './processor.js';
import { createLifePublisher } from './report-step.js';
import { createActionTelemetry } from './telemetry.js';

const POSTGRES_CONNECTIONS_MAX = 4;
const LEDGER_GROUP = 'action-ledger';
const EXPOSURES_GROUP = 'action-exposures';
const LIVES_GROUP = 'action-lives';

/** The service: the keyed processor over `score.computed`, the ledger behind `action.decided`, exposures behind `experiment.assigned`, then HTTP. */
export const app: ProcessorApp<ActionConfig> = defineProcessorApp({
  name: PROCESSOR_NAME,
  postgresConnectionsMax: POSTGRES_CONNECTIONS_MAX,
  createParts,
  openRoutes,
});

type Parts = ReturnType<typeof createParts>;

function createParts({ config, namespace, logger, metrics, artifactStore }: ProcessorContext<ActionConfig>) {
  const telemetry = createActionTelemetry(logger, metrics);
  const pseudonymizer = createPseudonymizer(config.secret);
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const artifacts = createActionArtifacts(artifactStore, { specs, telemetry });
  const processor = createActionProcessor({ namespace, artifacts, specs, pseudonymizer, telemetry });
  const definition = withJoins(processor, createLifePublisher({ namespace, pseudonymizer, telemetry }));
  return { definition, telemetry, pseudonymizer, artifacts };
}

async function openRoutes(
  context: ServiceContext<ActionConfig>,
  { definition, telemetry, pseudonymizer, artifacts }: Parts,
): Promise<ServiceRoutes> {
  const { namespace, pool, redis, partitions } = context;
  const schema = toPostgresSchema(namespace, PROCESSOR_NAME);
  const ledger = createLedger(pool, schema);
  const exposures = createExposures(pool, schema);
  const project = openProjections(context, schema);
  const actions = await project('ledger', LEDGER_GROUP, 'actionDecided', ledger.insert);
  const assigned = await project('exposures', EXPOSURES_GROUP, 'experimentAssigned', exposures.insert);
  const lives = await project('lives of actions', LIVES_GROUP, 'actionChanged', ledger.insertOutcomes);
  const routes = { ledger, pseudonymizer, telemetry, ledgerLag: actions.lag };
  const { decode } = definition.codec;
  const readStates = createStateReader(redis, { namespace, processor: PROCESSOR_NAME, partitions, decode });
  return {
    addTo: (server) => {
      addActionRoutes(server, routes);
      addExperimentRoutes(server, { exposures, exposureLag: assigned.lag });
      addContactRoutes(server, { pseudonymizer, readStates });
      addExplanationRoutes(server, { pseudonymizer, readStates, artifacts, namespace });
    },
    problems: () => [...actions.problems(), ...assigned.problems(), ...lives.problems()],
  };
}
