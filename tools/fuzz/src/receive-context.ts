import { createPseudonymizer } from '@perennial/privacy';

/** What ingest's core knows of the platform that a case runs in. */
export const RECEIVE_CONTEXT = {
  pseudonymizer: createPseudonymizer('a secret of the fuzzer, not for anything else'),
  acceptedTopic: 'accepted',
  rejectedTopic: 'rejected',
  namespace: 'fuzz',
  partitions: 4,
};
