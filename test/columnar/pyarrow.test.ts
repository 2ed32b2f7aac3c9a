import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAtOf, readPartIndex } from '../../columnar/read.ts';
import { streamLayout } from '../../columnar/stream.ts';
import { pythonLacks, runPython } from '../support/python.ts';
import { sampleBatch, samples, writePart } from './samples.ts';

const lacking = pythonLacks('pyarrow');

const SCRIPT = `
import json, sys, pyarrow as pa
source = pa.memory_map(sys.argv[2])
table = (pa.ipc.open_file(source) if sys.argv[1] == 'file' else pa.ipc.open_stream(source)).read_all()
table.validate(full=True)
text = lambda value: None if value is None else str(value)
wanted = [name for name in ('int64', 'decimal128', 'utf8', 'uuid', 'list', 'struct', 'float64') if name in table.column_names]
print(json.dumps({
  'rows': table.num_rows,
  'types': {field.name: str(field.type) for field in table.schema},
  'values': {name: [text(value) for value in table[name].to_pylist()] for name in wanted},
}))
`;

interface Read {
  rows: number;
  types: Record<string, string>;
  values: Record<string, (string | null)[]>;
}

async function readByPyarrow(kind: 'file' | 'stream', bytes: Uint8Array): Promise<Read> {
  const directory = await mkdtemp(join(tmpdir(), 'huitong-pyarrow-'));
  try {
    await writeFile(join(directory, 'part'), bytes);
    return await runPython<Read>(SCRIPT, kind, join(directory, 'part'));
  } finally {
    await rm(directory, { recursive: true });
  }
}

test.skipIf(lacking)(`pyarrow validates and reads parts of every type${lacking ? ` (${lacking})` : ''}`, async () => {
  const read = await readByPyarrow('file', writePart([sampleBatch(5), sampleBatch(700)]));
  expect(read.rows).toBe(705);
  expect(Object.keys(read.types)).toEqual(Object.keys(samples));
  expect(read.types).toMatchObject({
    decimal128: 'decimal128(38, 2)',
    uuid: 'fixed_size_binary[4]',
    timestamp: 'timestamp[us, tz=UTC]',
  });
  expect(read.values.int64!.slice(0, 5)).toEqual(['0', '5', '-9223372036854775808', null, '9223372036854775807']);
  expect(read.values.decimal128!.slice(0, 5)).toEqual([
    '0.00',
    '17.50',
    '-999999999999999999999999999999999999.99',
    null,
    '999999999999999999999999999999999999.99',
  ]);
  expect(read.values.utf8!.slice(0, 2)).toEqual(['', '😀 é']);
  expect(read.values.list!.slice(0, 4)).toEqual(['[]', "['z']", "['a', None]", null]);
});

test.skipIf(lacking)(
  `pyarrow reads a stream of some columns of two parts${lacking ? ` (${lacking})` : ''}`,
  async () => {
    const files = [writePart([sampleBatch(10)]), writePart([sampleBatch(3), sampleBatch(0)])];
    const parts = await Promise.all(files.map((file) => readPartIndex(readAtOf(file), file.byteLength)));
    const { segments } = streamLayout(parts[0]!.schema, ['utf8', 'int64'], parts);
    const stream = Buffer.concat(
      segments.map((one) =>
        'bytes' in one ? one.bytes : files[one.part]!.subarray(one.offset, one.offset + one.length),
      ),
    );
    const read = await readByPyarrow('stream', stream);
    expect([read.rows, Object.keys(read.types)]).toEqual([13, ['utf8', 'int64']]);
    expect(read.values.utf8![10]).toBe('');
  },
);
