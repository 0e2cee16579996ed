import { jest } from '@jest/globals';

// Real parts on a busy machine: a timeout of the usual five seconds would measure the machine, not the code.
jest.setTimeout(60_000);
