/** How a dataset is found by words: the same normal form for what is stored and for what is looked for. */
import type { ContractDocument } from '../contracts/contract.ts';
import type { DatasetDefinition } from '../schemas/generated/dataset.ts';
import { itemsOf } from './items.ts';

/** Full-width letters, ligatures and capitals are equal to their plain forms (Unicode NFKC, then lower case). */
function normalise(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** What an entry says in words, and what its items do, one a line: in both languages where it is given in both. */
export function searchText(definition: DatasetDefinition, contract: ContractDocument): string {
  const { code, catalogCode = '', title, abstract, keywords = [], coverage, contact, items = {} } = definition;
  const words = [title, abstract, coverage?.area, contact?.office].flatMap(inBoth);
  const described = Object.values(items).flatMap(({ description }) => inBoth(description));
  const named = itemsOf(definition, contract).flatMap((item) => [
    ...[item.name, ...inBoth(item.title), item.description ?? ''],
  ]);
  const lines = [code, catalogCode, ...words, ...keywords, ...named, ...described];
  return normalise([...new Set(lines)].filter((line) => line !== '').join('\n'));
}

function inBoth(words: { zh: string; en: string } | undefined): string[] {
  return words === undefined ? [] : [words.zh, words.en];
}

/** `LIKE` patterns, all of which must match: Chinese has no spaces, so a term is found anywhere within a text. */
export function searchPatterns(search: string): string[] {
  const terms = normalise(search)
    .split(/\s+/)
    .filter((term) => term !== '');
  return terms.map((term) => `%${term.replace(/[\\%_]/g, '\\$&')}%`);
}
