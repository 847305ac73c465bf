/**
 * Addresses inside a network, in every notation, at both doors: when an endpoint is registered or changed, and once more
 * when something is sent, for rows that were written before a rule or behind its back.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePoster } from '../src/outbound/http/post.ts';
import { endpointAt, makeStage, merchantId, type Node, type Stage } from './stage.ts';

// By its notation; each is 127.0.0.1, 10.0.0.1 or the metadata address when a URL parser is through with it.
const hosts = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  '0',
  '0.0.0.0',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::]',
  '[::ffff:0:127.0.0.1]',
  '[::ffff:10.0.0.1]',
  '10.0.0.1',
  '10.1',
  '167772161',
  '0x0a000001',
  '012.0.0.1',
  '172.16.0.1',
  '172.31.255.254',
  '192.168.0.1',
  '192.168.1',
  '100.64.0.1',
  '169.254.169.254',
  '169.254.43518',
  '2852039166',
  '0xa9fea9fe',
  '[fe80::1]',
  '[fe80::1%25eth0]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[fec0::1]',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '[ff02::1]',
  '[2001:db8::1]',
  '[3fff::1]',
  '[100::1]',
  '[5f00::1]',
  'localhost',
  'localhost.',
  'api.localhost',
  'postgres',
  'db.internal',
  'printer.local',
  '1.0.0.127.in-addr.arpa',
  'metadata.google.internal',
];
const urls = [
  ...hosts.map((host) => `https://${host}/`),
  'https://user@example.com/',
  'https://example.com@127.0.0.1/',
  'https://127.0.0.1:6379@example.com/',
  'file:///etc/passwd',
  'gopher://example.com/',
  'data:text/plain,x',
  'ftp://example.com/',
  'unix:/var/run/docker.sock',
  ...[22, 25, 5432, 6379, 9092].map((port) => `https://example.com:${port}/`),
];
// Public names whose answers lead inside, as 127.0.0.1.nip.io does.
const names: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1.nip.io': ['127.0.0.1'],
  'both.example.com': ['93.184.216.34', '10.0.0.1'],
  'mapped.example.com': ['::ffff:169.254.169.254'],
  'translated.example.com': ['64:ff9b::a00:1'],
};

let stage: Stage;
let node: Node;

beforeAll(async () => {
  stage = await makeStage();
  // As in production: no loopback.
  node = await stage.start({ ALLOW_LOOPBACK_WEBHOOKS: false });
});

afterAll(() => stage.stop());

describe(`${urls.length} addresses inside`, () => {
  test('are refused when an endpoint is registered, and when one is moved, in both modes', async () => {
    expect(urls.length).toBeGreaterThanOrEqual(60);
    const { endpoint } = await node.webhooks.createEndpoint(endpointAt('https://hooks.example.com/'));
    const left = {
      events: undefined,
      description: undefined,
      signSeed: undefined,
      signStandard: undefined,
      status: undefined,
    };
    const refusal = expect.objectContaining({ code: 'webhook_url_not_allowed' });
    for (const url of urls) {
      for (const livemode of [true, false])
        await expect(node.webhooks.createEndpoint(endpointAt(url, { livemode })), url).rejects.toEqual(refusal);
      const moved = node.webhooks.updateEndpoint({ merchantId, endpointId: endpoint?.id ?? '', url, ...left });
      await expect(moved, url).rejects.toEqual(refusal);
    }
    const { endpoints } = await node.webhooks.listEndpoints({
      merchantId,
      limit: 100,
      startingAfter: '',
      endingBefore: '',
    });
    expect(endpoints.map(({ url }) => url)).toEqual(['https://hooks.example.com/']);
  });

  test('are not sent to, whatever is in the row; nobody is even asked for their names', async () => {
    const asked: string[] = [];
    const poster = makePoster({
      totalMs: 2_000,
      isLoopbackAllowed: false,
      resolve: async (name) => {
        asked.push(name);
        return names[name] ?? [];
      },
    });
    for (const livemode of [true, false]) {
      for (const url of urls) {
        const { error, httpStatus } = await poster.post({ url, livemode, headers: {}, body: Buffer.from('{}') });
        expect([error, httpStatus], url).toEqual(['blocked_address', 0]);
      }
      expect(asked).toEqual([]);
      for (const name of Object.keys(names)) {
        const { error } = await poster.post({
          url: `https://${name}/`,
          livemode,
          headers: {},
          body: Buffer.from('{}'),
        });
        expect(error, name).toBe('blocked_address');
      }
      expect(new Set(asked.splice(0))).toEqual(new Set(Object.keys(names)));
    }
    await poster.close();
  });
});
