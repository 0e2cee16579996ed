/** Every bound of training clusters. */
export const CLUSTER_LIMITS = {
  featuresMax: 16,
  kMin: 2,
  kMax: 20,
  /** Tried by `--k auto`. */
  kAutoMax: 10,
  /** Profiles with which it tries them. */
  autoPointsMax: 10_000,
  /** Profiles that are read; of more a sample by their keys. */
  profilesMax: 100_000,
  /** Times that centres are drawn: k-means finds a local optimum. */
  draws: 4,
  /** Profiles whose silhouette is taken: it costs the square. */
  silhouetteMax: 1_000,
  /** Standardised values beyond it count as it. */
  clip: 5,
  seedMax: 1_000_000,
  nameCharsMax: 31,
} as const;
