import { createRandomToken } from '@perennial/kernel';

/** Six letters and digits that separate the namespaces and topics of one test run from those of others. */
export function createRunName(): string {
  return createRandomToken()
    .slice(0, 6)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '0');
}
