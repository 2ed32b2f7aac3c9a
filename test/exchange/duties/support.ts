/** Readers, corrections and short ways to act on cases, over the bench of reads. */
import { randomUUID } from 'node:crypto';
import { openRead } from '../../../exchange/access/read.ts';
import type { Role } from '../../../exchange/access/rights.ts';
import { keyedHash } from '../../../exchange/audit/leaf.ts';
import { advanceCase, applyCaseAction } from '../../../exchange/duties/apply.ts';
import type { CaseContent } from '../../../exchange/duties/cases.ts';
import { fileCorrection } from '../../../exchange/duties/corrections.ts';
import { proposeEntry } from '../../../exchange/duties/entries/file.ts';
import type { CaseParty } from '../../../lib/pure/case-states.ts';
import type { CaseAction } from '../../../lib/pure/case-transitions.ts';
import { furnish } from '../access/requests/support.ts';
import { type Bench, batchOf, bytesOf, openBench, principal } from '../access/support.ts';
import { DATASET } from '../publication/world.ts';

/** Unconditional data of `health`; departments `education` and `data`, and a policy. */
export async function openDutyBench(): Promise<Bench> {
  const bench = await openBench();
  await furnish(bench.world.catalog);
  await publishName(bench, '张三');
  return bench;
}

/** A version in which row 1 has this name, and row 2 is as ever. */
export async function publishName(bench: Bench, name: string): Promise<void> {
  await bench.publish([[batchOf([[1n, name]])], [batchOf([[2n, '王五']])]]);
}

/** As an officer of the department with that name. */
export function viewer(bench: Pick<Bench, 'access'>, department: string, name = 'zhang', ...roles: Role[]) {
  const who = { ...principal(department, ...(roles.length > 0 ? roles : (['officer'] as const))), subject: name };
  return { principal: who, actor: `token:${who.tokenId}`, person: keyedHash(bench.access.subjectKey, name) };
}

export async function read(bench: Bench, department: string, version: 'current' | number = 'current'): Promise<void> {
  const { stream, closed } = await openRead(bench.access, {
    ...{ principal: principal(department), dataset: DATASET, version, format: 'json-lines' },
  });
  await bytesOf(stream);
  await closed;
}

export const CLAIM = '章三丰';

export function fileOne(bench: Bench, changes: Partial<Parameters<typeof fileCorrection>[1]> = {}): Promise<string> {
  return fileCorrection(bench.access, {
    ...{ viewer: viewer(bench, 'education'), dataset: DATASET, version: 1, key: { id: '1' }, item: '姓名' },
    ...{ claim: CLAIM, reason: '与户口簿不符', address: '10.0.0.1', sealTo: bench.quarantineKey },
    ...{ at: new Date(), ...changes },
  });
}

/** Proposes another abstract for the world's dataset. */
export async function proposeOne({ world, access }: Pick<Bench, 'world' | 'access'>, zh = '接种记录'): Promise<string> {
  const { definition } = await world.catalog('dataset').where({ code: DATASET }).first('definition');
  const text = JSON.stringify({ ...definition, abstract: { zh, en: 'Vaccinations given' } });
  const who = viewer({ access }, 'health', 'zhang', 'engineer');
  return proposeEntry(world.catalog, { viewer: who, files: { 'datasets/health/vaccinations.yaml': text } });
}

const departments: Record<CaseParty, string | null> = {
  ...{ claimant: 'education', holder: 'education', provider: 'health', supervisor: 'data', system: null },
};

export interface ActOnCase extends CaseContent {
  at?: string;
  id?: string;
  person?: string;
}

/** As one party: the claimant is zhang, everybody else li unless told. Then the exchange's own steps. */
export async function actOn(
  { world }: Bench,
  id: string,
  party: CaseParty,
  action: CaseAction,
  { at = new Date().toISOString(), id: act = randomUUID(), person, ...content }: ActOnCase = {},
) {
  await applyCaseAction(world.catalog, messageOf(party, action, { ...content, id: act, person, at, case: id }));
  return advanceCase(world.catalog, { id, at });
}

/** What the API would send to the case's workflow for this party. */
export function messageOf<T extends ActOnCase>(party: CaseParty, action: CaseAction, { person: who, ...rest }: T) {
  const name = party === 'system' ? null : personOf(who ?? (party === 'claimant' ? 'zhang' : 'li'));
  return {
    ...{ ...rest, id: rest.id ?? randomUUID(), action, parties: [party], person: name },
    ...{ actor: party === 'system' ? 'system:cases' : 'token:test', department: departments[party] },
  };
}

export const personOf = (name: string) => keyedHash(Buffer.alloc(32, 7), name);
