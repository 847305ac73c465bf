/** P8: an old program keeps working. `UPDATE_RELEASED=1` writes the present document as the released one: only with a release. */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { breaksBetween, type Bag } from './compatibility.ts';
import { startGateway, type Running } from './running.ts';

const file = new URL('../openapi.released.json', import.meta.url);
let running: Running;
let present: string;

beforeAll(async () => {
  running = await startGateway();
  present = (await running.call('GET', '/openapi.json')).text;
  if (process.env['UPDATE_RELEASED'] === '1') writeFileSync(file, `${present}\n`);
});
afterAll(() => running.stop());

test('whatever a program does with the released API it can do with this one', () => {
  const released: Bag = JSON.parse(readFileSync(file, 'utf8'));
  expect(Object.keys(released['paths'] ?? {}).length).toBeGreaterThan(20);
  expect(breaksBetween(released, JSON.parse(present))).toEqual([]);
});

test.each<[string, (document: string) => string, string]>([
  ['an operation that goes', (text) => text.replace('"/v1/orders":', '"/v1/sales":'), 'the operation is gone'],
  [
    'a field that changes its type',
    (text) => text.replaceAll('"type":"integer"', '"type":"string"'),
    'type is another',
  ],
  [
    'a field that goes from an answer',
    (text) => text.replaceAll('"checkout_url":', '"link":'),
    'checkout_url: is gone',
  ],
  ['a field that may be missing', (text) => text.replaceAll('"required":["', '"required":["new_one","'), 'necessary'],
  ['a shorter name', (text) => text.replaceAll('"maxLength":255', '"maxLength":9'), 'maxLength is narrower'],
])('%s is noticed', (_what, change, complaint) => {
  const changed = change(present);
  expect(changed).not.toBe(present);
  expect(breaksBetween(JSON.parse(present), JSON.parse(changed)).join('\n')).toContain(complaint);
});

test('what is added is no break', () => {
  const more: { paths: Record<string, object> } = JSON.parse(present);
  more.paths['/v1/new_things'] = { get: { responses: {} } };
  expect(breaksBetween(JSON.parse(present), JSON.parse(JSON.stringify(more)))).toEqual([]);
});
