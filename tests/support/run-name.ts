import { createRandomToken } from '@perennial/kernel';

/** Six letters and digits that keep the namespaces and topics of one run of the tests apart from those of others. */
export function createRunName(): string {
  return createRandomToken()
    .slice(0, 6)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '0');
}
