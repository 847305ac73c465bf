import { expect, test } from 'vitest';
import { openPoints, rareOf } from '../src/crash-points.ts';

test('nobody dies a second time in a moment while another was not died in', () => {
  const point = (moment: string, kills: number) => ({ name: 'order', moment, hits: 9, kills });
  const points = [point('relay read', 1), point('inbox open', 0), point('job leased', 2), point('request done', 0)];
  expect(openPoints(points).map(({ moment }) => moment)).toEqual(['inbox open', 'request done']);
  expect(openPoints([point('relay read', 1), point('job leased', 2)]).map(({ moment }) => moment)).toEqual([
    'relay read',
  ]);
  expect(openPoints([])).toEqual([]);
});

test('the rarer half is what came least often', () => {
  const points = [5_000, 3, 800].map((hits) => ({ name: 'order', moment: `${hits} times`, hits, kills: 0 }));
  expect(rareOf(points).map(({ moment }) => moment)).toEqual(['3 times', '800 times']);
});
