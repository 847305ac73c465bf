import { expect, it } from 'vitest';
import { placesToTry } from '../src/places.ts';

it('what the environment names is used, and nothing else is tried', () => {
  expect(placesToTry('postgres://there', { DOCKER_HOST: 'tcp://engine:2375' }, true)).toEqual(['named']);
});

it.each([
  [{}, true],
  [{ DOCKER_HOST: 'tcp://engine:2375' }, false],
])(
  'a container is tried where a Docker engine may answer, and what this machine has comes after it',
  (environment, hasSocket) => {
    for (const named of [undefined, ''])
      expect(placesToTry(named, environment, hasSocket)).toEqual(['container', 'own']);
  },
);

it('without an engine only what this machine has is tried', () => {
  expect(placesToTry(undefined, {}, false)).toEqual(['own']);
  expect(placesToTry(undefined, { DOCKER_HOST: '' }, false)).toEqual(['own']);
});
