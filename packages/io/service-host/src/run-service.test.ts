import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import type { ProcessHost, StopSignal } from './process-host.js';
import type { ServiceDefinition } from './run-service.js';
import { runService } from './run-service.js';

interface FakeHost extends ProcessHost {
  raise(signal: StopSignal): void;
  readonly exits: number[];
  readonly errors: string[];
  /** Codes of the scheduled exits. */
  readonly planned: Set<number>;
}

function createHost(args: string[] = []): FakeHost {
  const waiting: Array<(signal: StopSignal) => void> = [];
  const exits: number[] = [];
  const errors: string[] = [];
  const planned = new Set<number>();
  return {
    env: {},
    args,
    exits,
    errors,
    planned,
    raise: (signal) => waiting.shift()?.(signal),
    waitForSignal: () => new Promise((resolve) => waiting.push(resolve)),
    setExitCode: (code) => exits.push(code),
    exit: (code) => exits.push(code),
    exitAfter: (_ms, code) => {
      planned.add(code);
      return { cancel: () => planned.delete(code) };
    },
    print: () => undefined,
    writeError: (text) => errors.push(text),
  };
}

const CONFIG = { namespace: 'n', instanceId: 'i', logLevel: 'silent' };

function define(overrides: Partial<ServiceDefinition<typeof CONFIG>> = {}) {
  const calls: string[] = [];
  const definition: ServiceDefinition<typeof CONFIG> = {
    name: 'svc',
    loadConfig: () => CONFIG,
    createApp: () => ({
      start: async () => {
        calls.push('start');
        return { url: 'http://x' };
      },
      stop: async () => {
        calls.push('stop');
      },
    }),
    ...overrides,
  };
  return { calls, definition };
}

describe('runService', () => {
  it('starts, and stops at a signal', async () => {
    const host = createHost();
    const { calls, definition } = define();
    const done = runService(definition, host);
    host.raise('SIGTERM');
    await done;
    expect(calls).toEqual(['start', 'stop']);
    expect(host.exits).toEqual([0]);
  });

  it('ends after a stop though something holds the process', async () => {
    const host = createHost();
    const done = runService(define().definition, host);
    host.raise('SIGTERM');
    await done;
    expect([...host.planned]).toEqual([0]);
  });

  it('prints all config problems and exits with 2', async () => {
    const host = createHost();
    const { definition } = define({
      loadConfig: () => {
        throw new AppError('config_invalid', 'configuration is invalid:\n  - A is not set\n  - B is not set');
      },
    });
    await runService(definition, host);
    expect(host.exits).toEqual([2]);
    expect(host.errors.join('')).toMatch(/svc: .*\n.*A is not set\n.*B is not set/);
  });

  it('exits with 1 when the start fails', async () => {
    const host = createHost();
    const { definition } = define({
      createApp: () => ({ start: () => Promise.reject(new Error('no broker')), stop: () => Promise.resolve() }),
    });
    await runService(definition, host);
    expect(host.exits).toEqual([1]);
  });

  it('runs a command instead of serving, and rejects an unknown one', async () => {
    const seen: string[] = [];
    const { calls, definition } = define({
      commands: () => ({
        provision: async (_config, args) => {
          seen.push(...args);
        },
      }),
    });
    const host = createHost(['provision', 'a', 'b']);
    await runService(definition, host);
    expect(seen).toEqual(['a', 'b']);
    expect(host.exits).toEqual([0]);
    const wrong = createHost(['toString']);
    await runService(definition, wrong);
    expect(wrong.exits).toEqual([1]);
    expect(wrong.errors.join('')).toContain('provision');
    expect(calls).toEqual([]);
  });

  describe('each', () => {
    const run = async (list: string) => {
      const seen: string[] = [];
      const { definition } = define({
        commands: () => ({
          note: async (_config, args) => {
            seen.push(args.join(' '));
          },
          fail: () => Promise.reject(new AppError('config_invalid', 'a bad file')),
        }),
      });
      const host = createHost(['each', list]);
      await runService(definition, host);
      return { seen, exits: host.exits, errors: host.errors.join('') };
    };

    it('runs several commands in one process, in order', async () => {
      expect(await run('[["note","a","b"],["note","c"]]')).toEqual({ seen: ['a b', 'c'], exits: [0], errors: '' });
    });

    it('ends at the first that fails, as if it had been called alone', async () => {
      const { seen, exits, errors } = await run('[["note","a"],["fail"],["note","b"]]');
      expect({ seen, exits }).toEqual({ seen: ['a'], exits: [2] });
      expect(errors).toContain('a bad file');
    });

    it('runs none when one is unknown', async () => {
      const { seen, exits, errors } = await run('[["note","a"],["toString"]]');
      expect({ seen, exits }).toEqual({ seen: [], exits: [1] });
      expect(errors).toContain('it has: note, fail');
    });

    it.each(['', '[]', '[[]]', '["note"]', '[["note",1]]', '{}'])('rejects the list %j', async (list) => {
      const { seen, exits, errors } = await run(list);
      expect({ seen, exits }).toEqual({ seen: [], exits: [2] });
      expect(errors).toContain('usage: each');
    });
  });
});
