/** A profile as it lies in the store. */
export interface StoredProfile {
  /** Encoded state; null for a profile never seen. */
  readonly state: Buffer | null;
  /** Highest tick on the profile's partition, 0 before the first. */
  readonly logTimeMs: number;
}

/** Where profiles are read from. */
export interface ProfileReader {
  /** In the order of the keys. Throws a retriable `dependency_unavailable` when the store is away. */
  readProfiles(profileKeys: readonly string[]): Promise<readonly StoredProfile[]>;
}
