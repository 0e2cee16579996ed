export { type Access, createAccess } from './access.js';
export { createCredentialDirectory } from './credential-directory.js';
export { SCOPES, type Scope } from './scopes.js';
export { runTokenCommand, TOKEN_VARIABLE } from './token-commands.js';
export { createTokenStore, type GrantStore, type TokenStore } from './token-store.js';
export { createTokenText } from './token-text.js';
