/** Who has read a version that turned out wrong: each such department has to say what became of its copies. */
import type { Catalog } from '../../catalog/database.ts';
import type { CaseRow } from './cases.ts';
import { openCase, systemActor } from './open.ts';
import { projectLog } from './projections.ts';

interface Reader {
  department: string;
  version: number;
}

/** Those who had read one of the versions from the one that a correction names to the last before it was mended. */
export async function notifyReaders(transaction: Catalog, row: CaseRow, at: Date): Promise<void> {
  const correction = await transaction('correction').where({ case: row.id }).first<{ fixed_version: number }>();
  await projectLog(transaction);
  const readers = await transaction('dataset_reader')
    .where({ dataset: row.dataset })
    .whereBetween('version', [row.version, correction.fixed_version - 1])
    .whereNot('department', row.provider)
    .whereNot('department', '')
    .groupBy('department')
    .orderBy('department')
    .select<Reader[]>('department', transaction.raw('max(version)::int as version'));
  for (const { department, version } of readers) {
    await openCase(transaction, {
      ...{ kind: 'confirmation', cause: `correction/${row.id}`, department, provider: row.provider },
      ...{ dataset: row.dataset, version, person: null, actor: systemActor, at },
    });
  }
}

interface RecalledReader extends Reader {
  dataset: string;
  provider: string;
  reason: string;
}

/**
 * Opens what is missing: a case for each department that has read a recalled version, also where its read was on the way
 * while the version was recalled. Gives how many were opened; repeating it is harmless.
 */
export async function openConfirmations(catalog: Catalog, at: Date): Promise<number> {
  await projectLog(catalog);
  const readers = await catalog('version_recall as recall')
    .join('dataset', 'dataset.code', 'recall.dataset')
    .join('dataset_reader as reader', { 'reader.dataset': 'recall.dataset', 'reader.version': 'recall.version' })
    .whereRaw('reader.department not in (dataset.department, ?)', [''])
    .whereNotExists((opened) =>
      opened
        .select(catalog.raw('1'))
        .from('duty_case')
        .where('duty_case.kind', 'confirmation')
        .whereRaw('duty_case.department = reader.department')
        .whereRaw(`duty_case.cause = 'recall/' || recall.dataset || '/' || recall.version`),
    )
    .select<RecalledReader[]>('recall.dataset', 'recall.version', 'recall.reason', 'reader.department', {
      provider: 'dataset.department',
    });
  for (const { dataset, version, provider, reason, department } of readers) {
    await catalog.transaction((transaction) =>
      openCase(transaction, {
        ...{ kind: 'confirmation', cause: `recall/${dataset}/${version}`, department, provider, dataset, version },
        ...{ person: null, actor: systemActor, reason, at },
      }),
    );
  }
  return readers.length;
}
