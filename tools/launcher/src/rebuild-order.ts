import type { RebuildSummary } from './rebuild-chain.js';
import type { ServiceName } from './services.js';

/** JSON of a RebuildOrder. */
export const REBUILD_VARIABLE = 'PERENNIAL_REBUILD';

/** Services with states, in the order in which data flows. */
export const REBUILT_SERVICES = ['feature-store', 'scoring', 'action'] as const satisfies readonly ServiceName[];
export type RebuiltService = (typeof REBUILT_SERVICES)[number];

/** What the process that rebuilds is told. */
export interface RebuildOrder {
  readonly namespace: string;
  readonly force: boolean;
  readonly environments: Readonly<Record<RebuiltService, Readonly<Record<string, string>>>>;
}

/** What it tells. */
export type RebuildMessage = { readonly progress: string } | { readonly summary: RebuildSummary };
