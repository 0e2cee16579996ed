import { isIPv4, isIPv6 } from 'node:net';

/** Groups of an IPv6 address that a network has; the rest each of its devices chooses, and changes at will. */
const PREFIX_GROUPS = 4;
const GROUPS = 8;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** What a limit by address counts: an IPv4 address, or the /64 network of an IPv6 address. */
export function toAddressKey(address: string): string {
  const mapped = MAPPED.exec(address)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  const [plain = ''] = address.split('%', 1);
  if (!isIPv6(plain)) return address;
  return `${toGroups(plain).slice(0, PREFIX_GROUPS).join(':')}::/64`;
}

/** The groups in one form: lower-case hex without leading zeros, `::` written out. */
function toGroups(address: string): string[] {
  const [left = '', right] = address.split('::', 2);
  const before = split(left);
  const after = right === undefined ? [] : split(right);
  const zeros = Array.from({ length: GROUPS - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after];
}

function split(part: string): string[] {
  if (part === '') return [];
  // The last two groups may be written as an IPv4 address; they are not in the prefix.
  const groups = part.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
  return groups.map((group) => Number.parseInt(group, 16).toString(16));
}
