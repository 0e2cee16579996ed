import { describe, expect, it } from '@jest/globals';
import { createSilentLogger } from '@perennial/telemetry';
import { composeApp } from './compose.js';

describe('an app', () => {
  it('gives back in reverse at its stop', async () => {
    const released: string[] = [];
    const app = composeApp(createSilentLogger(), async (releases) => {
      releases.push('first', () => void released.push('first'));
      releases.push('second', () => void released.push('second'));
      return 'http://here';
    });
    expect(await app.start()).toEqual({ url: 'http://here' });
    expect(released).toEqual([]);
    await app.stop();
    expect(released).toEqual(['second', 'first']);
  });

  it('gives back what a failed start has got, and says why it failed even when that fails too', async () => {
    const released: string[] = [];
    const app = composeApp(createSilentLogger(), async (releases) => {
      releases.push('first', () => void released.push('first'));
      releases.push('second', () => Promise.reject(new Error('it will not go')));
      throw new Error('no Kafka');
    });
    await expect(app.start()).rejects.toThrow('no Kafka');
    expect(released).toEqual(['first']);
  });
});
