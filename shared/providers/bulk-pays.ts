/** Salesforce advises against bulk jobs for fewer records. */
const BULK_ROWS_MIN = 2_000;
/** Open, upload, close, some eight looks over a minute, two result files. */
const CALLS_PER_BULK_JOB = 13;
/** Share of what is left of the day's calls that batches may take before a bulk job is the better neighbour. */
const BATCH_SHARE_MAX = 0.1;

export type BulkQuestion = {
  rows: number;
  /** Rows one batch call and one bulk job take. */
  rowsPerBatch: number;
  rowsPerJob: number;
  /** The provider's daily allocation as last heard; undefined: it has none or has not said. */
  daily?: { used: number; max: number };
  /** Percent of the day's calls kept for interactive work. */
  reservePercent?: number;
};

/**
 * Whether rows should travel in bulk jobs instead of batches. Batches answer row by row and at once, keep to the pace and can
 * stop anywhere, so they are preferred until they would take a tenth of the calls that are left for today; a bulk job
 * takes a fixed handful. Pure.
 * @see https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_bulkapi.htm
 */
export function bulkPays({
  rows,
  rowsPerBatch,
  rowsPerJob,
  daily,
  reservePercent = 0,
}: BulkQuestion): boolean {
  if (rows < BULK_ROWS_MIN || daily === undefined) return false;
  const batchCalls = Math.ceil(rows / rowsPerBatch);
  const bulkCalls = Math.ceil(rows / rowsPerJob) * CALLS_PER_BULK_JOB;
  const left = Math.max(0, daily.max * (1 - reservePercent / 100) - daily.used);
  return bulkCalls < batchCalls && batchCalls > left * BATCH_SHARE_MAX;
}
