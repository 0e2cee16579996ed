import { AppError } from '@perennial/kernel';
import { decodeFetch, type FetchPayload, type FetchResponse } from './decode-fetch.js';
import { changeKafkajsExport } from './kafkajs-internals.js';

const FETCH_MODULE = 'kafkajs/src/protocol/requests/fetch/index.js';
/** The version of the request whose response is decoded here; brokers know it from Kafka 2.3 on. */
const FETCH_VERSION = 11;

interface Fetch {
  readonly request: unknown;
  readonly requestTimeout: number;
  readonly response: {
    decode(raw: Buffer): Promise<FetchResponse>;
    parse(response: FetchResponse): unknown;
  };
}

type CreateFetch = (payload: FetchPayload) => Fetch;

interface FetchModule {
  protocol(options: { readonly version: number }): CreateFetch;
}

/**
 * Patches kafkajs's fetch with a decoder of our own (`decode-fetch.ts`). The original throws at codecs that it does not
 * know, which ends the consumer with all its partitions; needs quadratic time for headers; unpacks without a limit; and
 * does not say which offsets have no records.
 */
export function installTolerantFetch(): void {
  changeKafkajsExport<FetchModule, 'protocol'>(FETCH_MODULE, 'protocol', toTolerant);
}

function toTolerant(original: FetchModule['protocol']): FetchModule['protocol'] {
  return ({ version }) => {
    if (version !== FETCH_VERSION) {
      throw new AppError(
        'dependency_misconfigured',
        `the broker knows fetch requests up to version ${version}; ${FETCH_VERSION} is needed: use Kafka 2.3 or later`,
      );
    }
    const create = original({ version });
    return (payload) => {
      const { response, ...rest } = create(payload);
      return { ...rest, response: { ...response, decode: (raw) => decodeFetch(raw, payload) } };
    };
  };
}
