/** How a dataset is found by words: the same normal form for what is stored and for what is looked for. */
import type { ContractDocument } from '../contracts/contract.ts';
import type { DatasetDefinition } from '../schemas/generated/dataset.ts';
import { itemsOf } from './items.ts';

/** Full-width letters, ligatures and capitals are equal to their plain forms (Unicode NFKC, then lower case). */
function normalise(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** Code, titles, abstract, keywords, and names and titles of items, one a line. */
export function searchText(definition: DatasetDefinition, contract: ContractDocument): string {
  const { code, title, abstract, keywords = [] } = definition;
  const items = itemsOf(definition, contract).flatMap((item) => [
    item.name,
    item.title?.zh ?? '',
    item.title?.en ?? '',
  ]);
  const lines = [code, title.zh, title.en, abstract.zh, abstract.en, ...keywords, ...items];
  return normalise([...new Set(lines)].filter((line) => line !== '').join('\n'));
}

/** `LIKE` patterns, all of which must match: Chinese has no spaces, so a term is found anywhere within a text. */
export function searchPatterns(search: string): string[] {
  const terms = normalise(search)
    .split(/\s+/)
    .filter((term) => term !== '');
  return terms.map((term) => `%${term.replace(/[\\%_]/g, '\\$&')}%`);
}
