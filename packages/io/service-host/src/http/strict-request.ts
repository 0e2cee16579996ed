/** Maximum header lines of a request; browsers behind several proxies send about 40. Node drops those above 2,000 unseen. */
const HEADER_LINES_MAX = 100;

/** The part of a request that its framing and its routing depend on, as Node's parser gives it. */
export interface RequestHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
}

/** What makes a request ambiguous: a proxy in front of the service could read it as a different one. */
export interface Malformation {
  readonly status: 400 | 431;
  readonly reason: 'headers' | 'host' | 'framing' | 'target';
  readonly detail: string;
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._~%!$&'()*+,;=-]+)(:\d{0,5})?$/i;
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)/i;
const DEFAULT_PORT = /:(80|443)?$/;

/**
 * Finds what RFC 9112 forbids and Node's parser lets pass: other transfer encodings than `chunked`, a missing, doubled
 * or invalid Host, an absolute-form target of another host, and more header lines than a request needs.
 */
export function findMalformation(head: RequestHead): Malformation | undefined {
  const { rawHeaders } = head;
  if (rawHeaders.length / 2 > HEADER_LINES_MAX) {
    const detail = `the request has more than ${HEADER_LINES_MAX} header lines`;
    return { status: 431, reason: 'headers', detail };
  }
  return checkHost(head) ?? checkFraming(head) ?? checkTarget(head);
}

function checkHost({ httpVersion, rawHeaders }: RequestHead): Malformation | undefined {
  const hosts = readAll(rawHeaders, 'host');
  const [host] = hosts;
  if (hosts.length > 1) return malformed('host', `the request has ${hosts.length} Host headers`);
  if (host === undefined) return httpVersion === '1.0' ? undefined : malformed('host', 'the Host header is missing');
  return HOST.test(host) ? undefined : malformed('host', 'the Host header is no host name with an optional port');
}

function checkFraming({ httpVersion, rawHeaders }: RequestHead): Malformation | undefined {
  const codings = readAll(rawHeaders, 'transfer-encoding');
  if (codings.length === 0) return undefined;
  if (httpVersion === '1.0') return malformed('framing', 'HTTP/1.0 has no Transfer-Encoding');
  if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') {
    return malformed('framing', 'Transfer-Encoding must be chunked, and nothing else');
  }
  const isDouble = readAll(rawHeaders, 'content-length').length > 0;
  return isDouble ? malformed('framing', 'the request has Transfer-Encoding and Content-Length') : undefined;
}

function checkTarget({ method, url = '', rawHeaders }: RequestHead): Malformation | undefined {
  if (url.startsWith('/') || (url === '*' && method === 'OPTIONS')) return undefined;
  const authority = ABSOLUTE_FORM.exec(url)?.[1];
  if (authority === undefined) return malformed('target', 'the request target must begin with /');
  const [host] = readAll(rawHeaders, 'host');
  if (host === undefined || toComparable(host) === toComparable(authority)) return undefined;
  return malformed('target', 'the request target names another host than the Host header');
}

function readAll(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) values.push((rawHeaders[i + 1] ?? '').trim());
  }
  return values;
}

function toComparable(host: string): string {
  return host.toLowerCase().replace(DEFAULT_PORT, '');
}

function malformed(reason: Malformation['reason'], detail: string): Malformation {
  return { status: 400, reason, detail };
}
