import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { moments, probe, probeChannel } from './probe.ts';

test('a subscriber hears of a moment before the code that reached it goes on', () => {
  const heard: unknown[] = [];
  const listen = (moment: unknown) => void heard.push(moment);
  probe('commit sent');
  subscribe(probeChannel, listen);
  probe('relay read');
  expect(heard).toEqual(['relay read']);
  unsubscribe(probeChannel, listen);
  probe('relay published');
  expect(heard).toEqual(['relay read']);
});

test('every moment is somewhere in the code', () => {
  const root = join(import.meta.dirname, '../../..');
  const files = globSync('{apps,packages}/*/src/**/*.ts', { cwd: root }).filter((file) => !file.includes('.test.'));
  const said = new Set(
    files.flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/\bprobe\('([^']+)'\)/g)].map((match) => match[1] ?? ''),
    ),
  );
  expect([...said].toSorted()).toEqual(Object.keys(moments).toSorted());
});
