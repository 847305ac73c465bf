import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allProviders } from '../../src/outbound/providers/all.ts';

const folder = join(import.meta.dirname, '../../src/outbound/providers');
const folders = readdirSync(folder, { withFileTypes: true }).flatMap((each) => (each.isDirectory() ? [each.name] : []));

test('each provider folder has a run of the conformance suite', () => {
  expect(folders).not.toEqual([]);
  const runs = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(import.meta.dirname, file), 'utf8');
      return [...text.matchAll(/^providerConformance\('([a-z0-9_]+)'/gm)].map((match) => match[1]);
    });
  expect(folders.filter((name) => !runs.includes(name))).toEqual([]);
});

test('each provider folder is in the list under its own name', () => {
  const kinds = allProviders({
    SANDBOX_URL: 'http://127.0.0.1:9',
    SANDBOX_SECRET: 'a secret of the sandbox',
    SANDBOX_CALLBACK_SECRET: 'another secret of it',
    CALLBACK_BASE_URL: 'http://127.0.0.1:9',
    VAULT_KEYS: '',
  });
  expect([...kinds.keys()].toSorted()).toEqual(folders.toSorted());
  expect([...kinds].filter(([name, kind]) => name !== kind.name)).toEqual([]);
});

test('without a configuration there is no sandbox', () => {
  expect([...allProviders({ CALLBACK_BASE_URL: 'http://127.0.0.1:9', VAULT_KEYS: '' })]).toEqual([]);
});
