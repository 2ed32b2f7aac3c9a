/** The limits that workflows use; `lib/limits.ts` has them too. Plain data: a workflow may import nothing else of ours. */
export const workflowLimits = {
  heartbeatTimeoutMs: 20_000,
  /** How late a cancellation may reach an activity: a worker's `maxHeartbeatThrottleInterval`. */
  heartbeatThrottleMaxMs: 2_000,
  /** How long a snapshot may hold back vacuum in the source; the time of one generation. */
  snapshotAgeMaxMs: 4 * 60 * 60 * 1000,
  /** Generations of one run. */
  extractAttemptsMax: 6,
  retryDelayFirstMs: 1_000,
  retryDelayMaxMs: 30_000,
  /** How long a run waits for a worker of the department, and a person for the check of a source. */
  workerWaitMaxMs: 15 * 60 * 1000,
  workerWaitInteractiveMaxMs: 20_000,
  /** A run waits for connections of its source: until it asks again (doubling), and in all; what a timer has at least. */
  admissionRetryMs: 5_000,
  admissionRetryMaxMs: 60_000,
  admissionWaitMaxMs: 12 * 60 * 60 * 1000,
  admissionWaitMinMs: 1_000,
  /** Check and discovery of a source. */
  inquiryMaxMs: 60_000,
  /** An exchange activity: once, and with all its retries while the catalog or the store is away. */
  exchangeActivityMaxMs: 5 * 60 * 1000,
  exchangeActivityRetriesMaxMs: 60 * 60 * 1000,
  /** The second contract check of one run. */
  recheckMaxMs: 2 * 60 * 60 * 1000,
  /** A schedule that missed its time by more than this waits for the next. */
  scheduleCatchUpMs: 60 * 60 * 1000,
} as const;
