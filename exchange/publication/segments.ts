/** Which segments a version has, and how many rows. */
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { RunReport } from '../../schemas/generated/run-report.ts';

/** All segments of the version that a report makes: those of the base that stay, then the report's own parts. */
export function segmentsOf({ incremental, parts }: RunReport, current: Manifest | undefined): Manifest['segments'] {
  const kept = current?.segments.slice(0, incremental?.segmentsKept ?? 0) ?? [];
  const own = parts.map(({ partition: _, ...part }) => part);
  return kept.length > 0 && own.length === 0 ? kept : [...kept, { parts: own }];
}

export function rowsOf(parts: { rows: number }[]): number {
  return parts.reduce((sum, part) => sum + part.rows, 0);
}
