import { expect, test } from 'vitest';
import { openPoints } from '../src/crash-points.ts';

test('nobody dies a second time in a moment while another was not died in', () => {
  const point = (moment: string, kills: number) => ({ name: 'order', moment, kills });
  const points = [point('relay read', 1), point('inbox open', 0), point('job leased', 2), point('request done', 0)];
  expect(openPoints(points).map(({ moment }) => moment)).toEqual(['inbox open', 'request done']);
  expect(openPoints([point('relay read', 1), point('job leased', 2)]).map(({ moment }) => moment)).toEqual([
    'relay read',
  ]);
  expect(openPoints([])).toEqual([]);
});
