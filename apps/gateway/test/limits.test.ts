import { afterAll, beforeAll, expect, test } from 'vitest';
import { keys, startGateway, type Running } from './running.ts';

let gateway: Running;
beforeAll(async () => {
  gateway = await startGateway({ READS_PER_SECOND: '5', BAD_KEYS_PER_MINUTE: '10' });
});
afterAll(() => gateway.stop());

test('a key that asks too much is told to wait; another key is not touched', async () => {
  const answers = await Promise.all(Array.from({ length: 40 }, () => gateway.call('GET', '/v1/products')));
  const refused = answers.filter((answer) => answer.status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(answers.some((answer) => answer.status === 200)).toBe(true);
  expect(refused[0]?.body).toMatchObject({ code: 'rate_limited', status: 429 });
  expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0);
  expect(
    (await gateway.call('GET', '/v1/products', undefined, { authorization: `Bearer ${keys.second}` })).status,
  ).toBe(200);
});

test('who guesses keys is told to wait; a good key from the same address is not', async () => {
  const statuses: number[] = [];
  for (let at = 0; at < 15; at += 1)
    statuses.push((await gateway.call('GET', '/v1/orders', undefined, { authorization: `Bearer guess${at}` })).status);
  expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401));
  expect(statuses.slice(10)).toEqual(Array.from({ length: 5 }, () => 429));
  expect((await gateway.call('GET', '/v1/orders', undefined, { authorization: `Bearer ${keys.second}` })).status).toBe(
    200,
  );
});
