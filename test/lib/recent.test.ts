import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Recent } from '../../lib/recent.ts';

test('keeps what was used last, and never more than it may', () => {
  const steps = fc.array(fc.record({ name: fc.integer({ min: 0, max: 9 }), bytes: fc.integer({ min: 0, max: 12 }) }));
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 40 }), (added, most) => {
      const recent = new Recent<number>(most);
      /** The newest last. */
      let model: { name: number; bytes: number }[] = [];
      for (const [i, step] of added.entries()) {
        if (i % 3 === 2) {
          const found = model.find(({ name }) => name === step.name);
          expect(recent.find(`${step.name}`)).toBe(found?.bytes);
          if (found) model = [...model.filter((one) => one !== found), found];
          continue;
        }
        recent.add(`${step.name}`, step.bytes, step.bytes);
        model = [...model.filter(({ name }) => name !== step.name), step];
        while (model.reduce((sum, { bytes }) => sum + bytes, 0) > most) model.shift();
      }
      for (let name = 0; name < 10; name++) {
        expect(recent.find(`${name}`)).toBe(model.find((one) => one.name === name)?.bytes);
      }
    }),
  );
});
