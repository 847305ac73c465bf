/**
 * Where webhooks may go. The name of the URL is judged as the URL parser writes it (it turns 0x7f.1, 2130706433 and
 * ①②⑦.⓪.⓪.① into 127.0.0.1), and every address it resolves to is judged again at each connection. Fails closed.
 */
import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';

export interface Reach {
  readonly livemode: boolean;
  /** Only ever true in development: plain http and this machine's own loopback, in test mode. */
  readonly isLoopbackAllowed: boolean;
}

export type Resolve = (name: string) => Promise<readonly string[]>;

// Ports above 1024 on which something other than a web server speaks: databases, queues, caches, proxies, remote desktops.
const deniedPorts = new Set([
  1080, 1433, 1521, 2049, 2181, 2375, 2376, 2379, 2380, 3128, 3306, 3389, 4369, 5060, 5061, 5432, 5672, 5900, 6000,
  6379, 6443, 6665, 6666, 6667, 6668, 6669, 7001, 8009, 8500, 9042, 9092, 9093, 9200, 9300, 10250, 10255, 11211, 15672,
  26379, 27017, 27018, 28015, 50070,
]);
const longestUrl = 2_048;

/** Why the URL is refused, or undefined. Looks at no network. */
export function refuseUrl(text: string, reach: Reach): string | undefined {
  if (text.length > longestUrl) return `The address is longer than ${longestUrl} characters.`;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'This is not a URL.';
  }
  const isHttpAllowed = !reach.livemode && reach.isLoopbackAllowed;
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHttpAllowed))
    return 'The address must begin with https://.';
  if (url.username !== '' || url.password !== '') return 'The address must not contain a user name or a password.';
  const host = bareHost(url);
  const range = rangeOf(host);
  if (range !== undefined) {
    if (!mayReach(host, reach)) return 'This is not a public address.';
  } else if (isLocalName(host)) {
    if (!(host === 'localhost' && isHttpAllowed)) return 'This is not a public name.';
  }
  const isLoopback = host === 'localhost' || range === 'loopback';
  return refusePort(url, isHttpAllowed, isLoopback);
}

function refusePort(url: URL, isHttpAllowed: boolean, isLoopback: boolean): string | undefined {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const isFine =
    port === 443 || (port === 80 && isHttpAllowed) || (port >= 1_024 && (isLoopback || !deniedPorts.has(port)));
  return isFine ? undefined : 'Webhooks are not sent to this port.';
}

/** The addresses of a name, all of them vetted. Throws BlockedAddress when one is not public (a mixed answer is a trick). */
export async function vetHost(hostname: string, reach: Reach, resolve: Resolve): Promise<readonly string[]> {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const addresses = rangeOf(host) === undefined ? await resolve(host) : [host];
  if (addresses.length === 0) throw new NameNotFound();
  if (!addresses.every((address) => mayReach(address, reach))) throw new BlockedAddress();
  return addresses;
}

/** Whether a connection to this literal address is allowed. */
export function mayReach(address: string, reach: Reach): boolean {
  const range = rangeOf(address);
  return range === 'unicast' || (range === 'loopback' && !reach.livemode && reach.isLoopbackAllowed);
}

/** Its message names nothing: a merchant must not learn from it what our network looks like. */
export class BlockedAddress extends Error {
  override readonly name = 'BlockedAddress';
  readonly code = 'BLOCKED_ADDRESS';
}

export class NameNotFound extends Error {
  override readonly name = 'NameNotFound';
  readonly code = 'ENOTFOUND';
}

const resolveWithinMs = 3_000;

/** The system's resolver, with a limit: one that does not answer counts as a name that is not there. */
export const systemResolve: Resolve = async (name) => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NameNotFound()), resolveWithinMs);
  });
  try {
    const answers = await Promise.race([lookup(name, { all: true }), late]);
    return answers.map((answer) => answer.address);
  } finally {
    clearTimeout(timer);
  }
};

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

/** The range of a literal, the embedded address of a mapped one counting; undefined for a name. */
function rangeOf(host: string): string | undefined {
  // A zone id names an interface of this machine.
  if (host.includes('%')) return 'linkLocal';
  // Most are names; to find out from the parser costs it an error with a stack. Literals have no such letters.
  if (!host.includes(':') && /[g-wyz]/i.test(host)) return undefined;
  if (!ipaddr.isValid(host)) return undefined;
  const address = ipaddr.process(host);
  const range = address.range();
  // ::127.0.0.1 and its like: outdated, routed nowhere, and a way around a guard.
  if (range === 'unicast' && address.kind() === 'ipv6' && !isGlobal(address.toByteArray())) return 'reserved';
  return range;
}

/** IANA has given out 2000::/3 only. */
function isGlobal(bytes: readonly number[]): boolean {
  return ((bytes[0] ?? 0) & 0xe0) === 0x20;
}

function isLocalName(host: string): boolean {
  return (
    !host.includes('.') || /\.(localhost|local|internal|intranet|lan|home|corp|arpa|test|invalid|onion)$/.test(host)
  );
}
