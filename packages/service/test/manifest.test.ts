import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { allTopics } from '@tillstream/messaging/topics';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { commonSettings } from '../src/config.ts';
import { addressesOf, roleOf, serviceNames, services } from '../src/manifest.ts';

const root = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('every app with a schema is a service of the manifest; the gateway alone owns a schema and is an edge', () => {
  const withSchema = globSync('apps/*/migrations', { cwd: root }).map((path) => basename(dirname(path)));
  expect(withSchema.toSorted()).toEqual([...serviceNames, 'gateway'].toSorted());
});

describe.each(services)('$name', ({ name, schema, addressKey, defaultAddress, hears, says, hasTimeline }) => {
  const app = read(`apps/${name}/src/app.ts`);
  const all = globSync(`apps/${name}/src/**/*.ts`, { cwd: root }).map(read).join('\n');

  test('has the name, schema and role of the manifest', () => {
    expect(app).toContain(`name: '${name}'`);
    expect(app).toContain(`schema: '${schema}'`);
    expect(app).toContain(`role: '${roleOf(schema)}'`);
    expect(existsSync(join(root, `apps/${name}/README.md`))).toBe(true);
  });

  test('subscribes to the topics of the manifest, and publishes those', () => {
    const topicOf = (constant: string) =>
      allTopics.find((topic) => topic.name === `tillstream.${constant.replace('Events', '')}.events.v1`)?.name;
    const subscribed = [...all.matchAll(/topics: \[((?:\w+Events\.name(?:, )?)+)\]/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/(\w+Events)\.name/g)].map(([, constant = '']) => topicOf(constant)),
    );
    const published = [...app.matchAll(/topics: \[((?:\w+Events(?:, )?)+)\]/g)].flatMap(([, list = '']) =>
      list.split(', ').map(topicOf),
    );
    expect(new Set(subscribed)).toEqual(new Set(hears));
    expect(subscribed).toHaveLength(hears.length);
    expect(published).toEqual([...says]);
  });

  test('has its address setting, with the default of the manifest', () => {
    const defaults: Readonly<Record<string, unknown>> = commonSettings.parse({ DATABASE_URL: 'postgres://nowhere' });
    expect(defaults[addressKey]).toBe(defaultAddress);
  });

  test('is in the compose file, with its own database role', () => {
    const compose: { services: Record<string, { environment?: Record<string, string> }> } = parse(
      read('docker-compose.yml'),
      { merge: true },
    );
    expect(compose.services[name]?.environment?.['DATABASE_URL']).toContain(`${roleOf(schema)}:`);
  });

  test('answers TimelineApi where the manifest says so', () => {
    expect(/TimelineApiService/.test(app)).toBe(hasTimeline);
  });
});

test('no two services share a port, an address or a schema', () => {
  for (const key of ['schema', 'addressKey', 'defaultAddress', 'portOffset'] as const)
    expect(new Set(services.map((each) => each[key])).size).toBe(services.length);
});

test('the addresses of all services are one environment', () => {
  const addresses = addressesOf((name) => `${name}:1`);
  expect(addresses['WEBHOOK_ADDRESS']).toBe('webhook-dispatcher:1');
  expect(Object.keys(addresses)).toHaveLength(services.length);
});
