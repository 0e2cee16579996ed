import { expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { AppError } from '@perennial/kernel';
import { createPseudonymizer } from '@perennial/privacy';
import { createTestServer } from '@perennial/service-host/testing';
import type { RetractionAnswer } from '../retract/retractor.js';
import { addRetractionRoutes } from './retraction-routes.js';

it('a server that closes does not wait for what a retraction reads', async () => {
  const server = createTestServer();
  let stop: (reason: Error) => void = () => undefined;
  const stopped = new Promise<RetractionAnswer>((_, reject) => {
    stop = reject;
  });
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const retractor = {
    retract: () => {
      begin();
      return stopped;
    },
    stop: () => stop(new AppError('dependency_unavailable', 'it stops', { retriable: true })),
  };
  addRetractionRoutes(server, { retractor, pseudonymizer: createPseudonymizer('s'.repeat(32)) });
  const answered = server.inject({
    method: 'POST',
    url: '/v1/profiles/anna/retractions',
    headers: { 'content-type': 'application/json', ...TEST_AUTHORIZATION },
    payload: JSON.stringify({ messageId: 'm' }),
  });
  const status = answered.then(({ statusCode }) => statusCode);
  await begun;
  await server.close();
  expect(await status).toBe(503);
});
