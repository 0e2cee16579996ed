import { AppError, type Clock, systemClock } from '@perennial/kernel';
import { createCredentialDirectory } from './credential-directory.js';
import type { Scope } from './scopes.js';
import type { Grant, GrantStore } from './token-store.js';
import { isTokenText } from './token-text.js';

/** Authorizes requests by their token. */
export interface Access {
  /**
   * The grant of the token in an `Authorization: Bearer` header. Throws `unauthenticated` without a valid token,
   * `forbidden` when its scopes lack this one, and a retriable error when the store is unavailable and the token is not
   * cached.
   */
  authorize(header: string | undefined, scope: Scope): Promise<Grant>;
}

export function createAccess(store: GrantStore, clock: Clock = systemClock): Access {
  const tokens = createCredentialDirectory((hash) => store.findByHash(hash), { what: 'token', clock });
  return {
    async authorize(header, scope) {
      const text = parseBearer(header);
      if (text === undefined) throw new AppError('unauthenticated', 'a token is needed: Authorization: Bearer pt_...');
      const grant = isTokenText(text) ? await tokens.find(text) : undefined;
      if (grant === undefined) throw new AppError('unauthenticated', 'the token is unknown or revoked');
      if (grant.expiresAtMs !== null && grant.expiresAtMs <= clock.now()) {
        throw new AppError('unauthenticated', 'the token has expired');
      }
      if (grant.scopes.includes(scope)) return grant;
      throw new AppError('forbidden', `the token ${JSON.stringify(grant.name)} lacks the scope ${scope}`);
    },
  };
}

function parseBearer(header: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(header?.trim() ?? '')?.[1];
}
