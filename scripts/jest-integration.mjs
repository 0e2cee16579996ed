import { jest } from '@jest/globals';

// Real parts on a busy machine: the usual five seconds tell of the machine, not of the test.
jest.setTimeout(60_000);
