import { AppError } from '@perennial/kernel';

/** `read` reads, `write` changes profiles, `operate` moves the clock and takes events back. None implies another. */
export const SCOPES = ['read', 'write', 'operate'] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * Parses scopes such as `read,operate`, in the order of SCOPES. Throws `config_invalid` for an empty list or an unknown
 * scope.
 */
export function parseScopes(text: string): Scope[] {
  const names = new Set(text.split(',').map((name) => name.trim()));
  const scopes = SCOPES.filter((scope) => names.has(scope));
  if (scopes.length === names.size) return scopes;
  throw new AppError('config_invalid', `scopes must be some of ${SCOPES.join(',')}, not ${JSON.stringify(text)}`);
}
