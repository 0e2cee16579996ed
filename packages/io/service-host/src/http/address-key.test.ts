import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toAddressKey } from './address-key.js';

describe('the key of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:192.0.2.7', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['not an address', 'not an address'],
  ])('%s is %s', (address, key) => expect(toAddressKey(address)).toBe(key));

  it('is one for all devices of a network, however their addresses are written', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const network = fc.tuple(group, group, group, group);
    const device = fc.tuple(group, group, group, group);
    const hex = (groups: number[], pad: boolean) =>
      groups.map((value) => (pad ? value.toString(16).padStart(4, '0') : value.toString(16).toUpperCase())).join(':');
    fc.assert(
      fc.property(network, device, device, fc.boolean(), (prefix, one, other, pad) => {
        const [a, b] = [hex([...prefix, ...one], pad), hex([...prefix, ...other], !pad)];
        expect(toAddressKey(a)).toBe(toAddressKey(b));
        expect(toAddressKey(a)).toBe(`${hex(prefix, false).toLowerCase()}::/64`);
      }),
      { seed: 15 },
    );
  });
});
