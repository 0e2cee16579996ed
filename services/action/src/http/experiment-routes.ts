import { askPostgres } from '@perennial/postgres';
import { addOperation, type FastifyInstance, readPage } from '@perennial/service-host';
import { EXPOSURE_PAGES, type Exposures } from '../adapters/exposures.js';
import { listExperiments, listExposures } from './operations.js';

export interface ExperimentRouteDeps {
  readonly exposures: Exposures;
  /** Records of `experiment.assigned` that are not in the table yet. */
  readonly exposureLag: () => number;
}

export function addExperimentRoutes(server: FastifyInstance, { exposures, exposureLag }: ExperimentRouteDeps): void {
  addOperation(server, listExperiments, async () => ({
    arms: await askPostgres('counting arms', () => exposures.totals()),
    lag: exposureLag(),
  }));

  addOperation(server, listExposures, async ({ query, path }) => {
    const { items, next } = await readPage(EXPOSURE_PAGES, query, {
      read: (range) => askPostgres('listing exposures', () => exposures.list(path.name, range)),
      toPosition: ({ firstAt, profileKey }) => ({ firstAt, profileKey }),
    });
    return { exposures: items, next };
  });
}
