import { AppError } from '@perennial/kernel';
import { askPostgres } from '@perennial/postgres';
import { type Pseudonymizer, parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance, readPage } from '@perennial/service-host';
import { ACTION_PAGES, type Ledger } from '../adapters/ledger.js';
import type { ActionTelemetry } from '../telemetry.js';
import { getAction, getActionSummary, listActions } from './operations.js';

export interface ActionRouteDeps {
  readonly ledger: Ledger;
  readonly pseudonymizer: Pseudonymizer;
  readonly telemetry: ActionTelemetry;
  /** Records of `action.decided` that are not in the ledger yet. */
  readonly ledgerLag: () => number;
}

export function addActionRoutes(server: FastifyInstance, deps: ActionRouteDeps): void {
  const { ledger, pseudonymizer } = deps;

  addOperation(server, listActions, async ({ query }) => {
    const userId = parseUserId(query.userId);
    const profileKey = pseudonymizer.toProfileKey({ userId });
    const { items: actions, next } = await readPage(ACTION_PAGES, query, {
      read: (range) => askPostgres('listing actions', () => ledger.listByProfile(profileKey, range)),
      toPosition: ({ decidedAt, actionId }) => ({ decidedAt, actionId }),
    });
    return { userId, actions, next };
  });

  addOperation(server, getAction, async ({ path: { actionId } }) => {
    const action = await askPostgres('finding an action', () => ledger.find(actionId));
    if (action === undefined) throw new AppError('not_found', `the ledger has no action ${actionId}`);
    return action;
  });

  addOperation(server, getActionSummary, async () => {
    const totals = await askPostgres('summing up actions', () => ledger.totals());
    return {
      actions: {
        total: totals.reduce((sum, { actions }) => sum + actions, 0),
        cost: totals.reduce((sum, { cost }) => sum + cost, 0),
        byStrategy: Object.fromEntries(totals.map(({ strategy, actions }) => [strategy, actions])),
      },
      process: deps.telemetry.totals(),
      ledgerLag: deps.ledgerLag(),
    };
  });
}
