import { describe, expect, test } from 'vitest';
import { mayReach, refuseUrl, vetHost, type Reach } from './address-guard.ts';

const live: Reach = { livemode: true, isLoopbackAllowed: false };
const development: Reach = { livemode: false, isLoopbackAllowed: true };

describe('refused wherever, in live mode and in test mode', () => {
  test.each([
    // Other notations of 127.0.0.1, https so that only the address is to blame.
    'https://127.0.0.1/',
    'https://127.1/',
    'https://127.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://①②⑦.⓪.⓪.①/',
    'https://127。0。0。1/',
    'https://%31%32%37.0.0.1/',
    'https://127.0.0.1./',
    'https://0/',
    'https://0.0.0.0/',
    'https://[::]/',
    'https://[::1]/',
    // Mapped, compatible, translated, tunnelled.
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[0:0:0:0:0:ffff:7f00:1]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b:1::1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001:0:7f00:1::]/',
    'https://[::ffff:0:127.0.0.1]/',
    'https://[::ffff:10.0.0.1]/',
    // Private, shared, link-local, metadata.
    'https://10.0.0.1/',
    'https://10.255.255.255/',
    'https://172.16.0.1/',
    'https://172.31.255.254/',
    'https://192.168.0.1/',
    'https://100.64.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://[fe80::1]/',
    'https://[fc00::1]/',
    'https://[fd00:ec2::254]/',
    'https://[fec0::1]/',
    // Reserved, documentation, benchmark, multicast, broadcast.
    'https://192.0.0.1/',
    'https://192.0.2.1/',
    'https://198.51.100.1/',
    'https://203.0.113.1/',
    'https://198.18.0.1/',
    'https://224.0.0.1/',
    'https://239.255.255.255/',
    'https://240.0.0.1/',
    'https://255.255.255.255/',
    'https://[ff02::1]/',
    'https://[2001:db8::1]/',
    'https://[3fff::1]/',
    'https://[100::1]/',
    'https://[5f00::1]/',
    // Names of our own network.
    'https://localhost/',
    'https://localhost./',
    'https://api.localhost/',
    'https://postgres/',
    'https://db.internal/',
    'https://printer.local/',
    'https://1.0.0.127.in-addr.arpa/',
    // Users, schemes, ports, nonsense.
    'https://user@example.com/',
    'https://user:pass@example.com/',
    'https://example.com@127.0.0.1/',
    'https://127.0.0.1:6379@example.com/',
    'http://user@localhost/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://example.com/',
    'data:text/plain,x',
    'javascript:alert(1)',
    'unix:/var/run/docker.sock',
    'https://example.com:22/',
    'https://example.com:25/',
    'https://example.com:80/',
    'https://example.com:5432/',
    'https://example.com:6379/',
    'https://example.com:9092/',
    'https://example.com:11211/',
    'not a url',
    '',
    '//example.com/',
    'https://',
    'https://exa mple.com/',
    'https://[fe80::1%25eth0]/',
    `https://example.com/${'x'.repeat(2_100)}`,
  ])('%s', (url) => {
    expect(refuseUrl(url, live)).toBeTypeOf('string');
    // In development the loopback is open for http and https; everything else stays shut.
    if (!/127|%31|0177|7f|2130706433|①|localhost|\[::1\]|:80\//.test(url))
      expect(refuseUrl(url, development)).toBeTypeOf('string');
  });
});

describe('refused in development too, because they only look like loopback', () => {
  test.each([
    'http://[::127.0.0.1]:8080/',
    'http://[64:ff9b::7f00:1]:8080/',
    'http://[2002:7f00:1::]:8080/',
    'http://0.0.0.0:8080/',
    'http://api.localhost:8080/',
    'http://user@127.0.0.1:8080/',
    'http://127.0.0.1:22/',
  ])('%s', (url) => expect(refuseUrl(url, development)).toBeTypeOf('string'));
});

describe('allowed', () => {
  test.each([
    'https://example.com/',
    'https://example.com/hooks?x=1',
    'https://example.com:8443/',
    'https://example.com:443/',
    'https://example.com:1024/',
    'https://example.com:3000/',
    'https://shop.example.co.uk/a',
    'https://bücher.example/',
    'https://例え.テスト.jp/',
    'https://example.com./',
    'https://8.8.8.8/',
    'https://1.1.1.1/',
    'https://93.184.216.34:8443/',
    'https://[2606:4700:4700::1111]/',
    'https://[2a00:1450:4014::1]/',
    'https://172.15.0.1/',
    'https://172.32.0.1/',
    'https://100.128.0.1/',
    'https://11.0.0.1/',
    'https://xn--bcher-kva.example/',
  ])('%s', (url) => {
    expect(refuseUrl(url, live)).toBeUndefined();
    expect(refuseUrl(url, development)).toBeUndefined();
  });

  test('http and loopback in test mode when configured, and only then', () => {
    for (const url of [
      'http://127.0.0.1:8080/hooks',
      'http://localhost:3000/',
      'http://[::1]:3000/',
      'http://example.com/',
      'http://127.0.0.1:5432/',
    ]) {
      expect(refuseUrl(url, development)).toBeUndefined();
      expect(refuseUrl(url, live)).toBeTypeOf('string');
      expect(refuseUrl(url, { livemode: true, isLoopbackAllowed: true })).toBeTypeOf('string');
      expect(refuseUrl(url, { livemode: false, isLoopbackAllowed: false })).toBeTypeOf('string');
    }
  });
});

describe('names', () => {
  const answering =
    (...addresses: string[]) =>
    () =>
      Promise.resolve(addresses);

  test.each([
    [['127.0.0.1']],
    [['93.184.216.34', '10.0.0.1']],
    [['2606:4700::1', 'fd00::1']],
    [['::ffff:169.254.169.254']],
    [['fe80::1%eth0']],
    [['64:ff9b::a00:1']],
  ])('that resolve to %j are blocked', async (addresses) => {
    await expect(vetHost('example.com', live, answering(...addresses))).rejects.toThrow(
      expect.objectContaining({ code: 'BLOCKED_ADDRESS' }),
    );
  });

  test('that resolve to nothing, or not at all, fail closed', async () => {
    await expect(vetHost('example.com', live, answering())).rejects.toThrow(
      expect.objectContaining({ code: 'ENOTFOUND' }),
    );
    await expect(vetHost('example.com', live, () => Promise.reject(new Error('no resolver')))).rejects.toThrow(
      'no resolver',
    );
  });

  test('with IPv6 addresses only are fine', async () => {
    expect(await vetHost('example.com', live, answering('2606:4700::1'))).toEqual(['2606:4700::1']);
  });

  test('a literal asks no resolver', async () => {
    expect(await vetHost('[2606:4700::1]', live, () => Promise.reject(new Error('asked')))).toEqual(['2606:4700::1']);
  });

  test('what a socket says of its other end is judged the same', () => {
    expect(mayReach('', live)).toBe(false);
    expect(mayReach('::ffff:127.0.0.1', live)).toBe(false);
    expect(mayReach('::ffff:127.0.0.1', development)).toBe(true);
    expect(mayReach('::ffff:8.8.8.8', live)).toBe(true);
  });
});
