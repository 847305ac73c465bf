/** The mutants stay alive: a patch that no longer applies would let a bug go untested without anybody noticing. */
import { expect, test } from 'vitest';
import { mutants } from '../mutants/catalogue.ts';
import { plants } from '../mutants/plants.ts';
import { applyTo, prove } from '../mutants/mutant.ts';

test('each has a name of its own, and there are thirty or more', () => {
  expect(new Set(mutants.map((mutant) => mutant.id)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(30);
});

test.each([...mutants, ...plants].map((mutant) => [mutant.id, mutant] as const))(
  '%s applies, and is a program',
  (_id, mutant) => {
    prove(mutant);
  },
);

test('one that does not apply any more says what is missing', () => {
  const [mutant] = mutants;
  if (mutant === undefined) throw new Error('there are no mutants');
  expect(() => applyTo('', mutant, mutant.patches[0]?.file ?? '')).toThrow(/is there 0 times/);
});
