import { Agent, request } from 'node:http';
import { AppError } from '@perennial/kernel';

/** How a service is asked for the features of some users: one POST. */
export interface ReadUsers {
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  toBody(users: readonly string[]): unknown;
}

/**
 * Durations in ms of reads one after the other over one connection, from the call until the whole answer is there and
 * parsed. Throws for an answer other than 200.
 */
export async function timeReads(read: ReadUsers, requests: ReadonlyArray<readonly string[]>): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const durations: number[] = [];
  try {
    for (const users of requests) {
      const startedMs = performance.now();
      JSON.parse(await post(read, agent, JSON.stringify(read.toBody(users))));
      durations.push(performance.now() - startedMs);
    }
    return durations;
  } finally {
    agent.destroy();
  }
}

const ANSWER_WAIT_MS_MAX = 30_000;

function post({ url, path, headers }: ReadUsers, agent: Agent, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, url),
      {
        method: 'POST',
        agent,
        timeout: ANSWER_WAIT_MS_MAX,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (answer.statusCode === 200) resolve(text);
          else reject(new AppError('dependency_unavailable', `${path} answered ${answer.statusCode}: ${text}`));
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new AppError('timeout', `${path} did not answer`)));
    sent.on('error', reject);
    sent.end(body);
  });
}
