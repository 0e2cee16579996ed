import { ID_STRENGTHS } from '@perennial/identity';
import { type Pseudonymizer, parseUserId } from '@perennial/privacy';
import { addOperation, type FastifyInstance } from '@perennial/service-host';
import type { Retractor } from '../retract/retractor.js';
import { retractEvent } from './operations.js';

export interface RetractionRouteDeps {
  readonly retractor: Pick<Retractor, 'retract' | 'stop'>;
  readonly pseudonymizer: Pseudonymizer;
}

export function addRetractionRoutes(server: FastifyInstance, { retractor, pseudonymizer }: RetractionRouteDeps): void {
  // Before it waits for the requests in flight: one may read for minutes.
  server.addHook('preClose', async () => retractor.stop());
  addOperation(server, retractEvent, async ({ path, body }) => {
    const userId = parseUserId(path.userId);
    const profile = {
      key: pseudonymizer.toProfileKey({ userId }),
      strength: ID_STRENGTHS.user,
      subject: pseudonymizer.seal(userId),
    };
    const { messageId, reason = '', by = '', early = false } = body;
    return retractor.retract({ profile, messageId, reason, by, early });
  });
}
