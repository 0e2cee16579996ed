import { AppError } from '@perennial/kernel';
import { askPostgres } from '@perennial/postgres';
import { type Pseudonymizer, parseUserId } from '@perennial/privacy';
import type { FastifyInstance } from '@perennial/service-host';
import type { Ledger } from '../adapters/ledger.js';
import type { ActionEvents } from '../events.js';

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 500;

export interface ActionRouteDeps {
  readonly ledger: Ledger;
  readonly pseudonymizer: Pseudonymizer;
  readonly events: ActionEvents;
  /** Records of `action.decided` that the ledger has not got yet. */
  readonly ledgerLag: () => number;
}

const READ = { config: { access: 'read' } } as const;

/** GET /v1/actions?userId=&limit= and GET /v1/summary. */
export function addActionRoutes(server: FastifyInstance, deps: ActionRouteDeps): void {
  server.get('/v1/actions', READ, async (request) => {
    const query = request.query as Readonly<Record<string, unknown>>;
    const userId = parseUserId(query.userId);
    const limit = parseLimit(query.limit);
    const profileKey = deps.pseudonymizer.toProfileKey({ userId });
    return {
      userId,
      actions: await askPostgres('listing actions', () => deps.ledger.listByProfile(profileKey, limit)),
    };
  });

  server.get('/v1/summary', READ, async () => {
    const totals = await askPostgres('summing up actions', () => deps.ledger.totals());
    const { results, suppressed } = deps.events.totals();
    return {
      actions: {
        total: totals.reduce((sum, { actions }) => sum + actions, 0),
        cost: totals.reduce((sum, { cost }) => sum + cost, 0),
        byStrategy: Object.fromEntries(totals.map(({ strategy, actions }) => [strategy, actions])),
      },
      // Of this process, since it began; the ledger's numbers above are of the whole namespace.
      process: { results, suppressed },
      ledgerLag: deps.ledgerLag(),
    };
  });
}

function parseLimit(value: unknown): number {
  if (value === undefined) return LIMIT_DEFAULT;
  const limit = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (limit < 1 || limit > LIMIT_MAX) throw invalid(`limit must be a whole number from 1 to ${LIMIT_MAX}`);
  return limit;
}

function invalid(message: string): AppError {
  return new AppError('contract_violation', message);
}
