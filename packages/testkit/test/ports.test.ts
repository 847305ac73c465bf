import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { claimPorts, freePort } from '../src/ports.ts';

test('whoever claims ports gets others than who claimed before', async () => {
  const bases = await Promise.all(Array.from({ length: 5 }, () => claimPorts()));
  expect(new Set(bases).size).toBe(5);
  const singles = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  expect(new Set(singles).size).toBe(20);
  for (const port of singles) expect(bases.some((base) => port >= base && port < base + 40)).toBe(false);
});

test('a port that somebody listens on is passed over', async () => {
  const taken = (await freePort()) + 1;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve));
  expect(await freePort()).toBe(taken + 1);
  await new Promise((resolve) => server.close(resolve));
});
