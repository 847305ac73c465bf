/**
 * What a server of HTTP meets in the open: sockets that say nothing or drip, headers without end, requests that are none,
 * crowds. Real sockets; the complaints say who was not let go, and whether others were served meanwhile.
 */
import { connect } from 'node:net';
import { seeded } from './fault-proxy.ts';

export interface Besieged {
  readonly url: string;
  /** A request with a body that is read: its line and headers, without a length. */
  readonly post: readonly string[];
  /** A path that is answered with 200, for those who behave. */
  readonly path: string;
  readonly connections: number;
  readonly requestsPerConnection: number;
}

interface Ended {
  readonly answer: string;
  readonly by: 'server' | 'nobody';
}

interface Held {
  readonly ended: Promise<Ended>;
}

// Twenty times the limits that a test sets: whoever is not let go by then is not let go.
const giveUpMs = 20_000;
const each = 8;

/** Empty when the server stands. */
export async function besiege(target: Besieged): Promise<readonly string[]> {
  const complaints: string[] = [];
  const say = (what: string) => void complaints.push(what);
  await drip(target, say);
  await speakNonsense(target, say);
  await pipeline(target, say);
  await crowd(target, say);
  if (!(await isServed(target))) say('after all of it nobody is served any more');
  return complaints;
}

/** All of them at once; whoever behaves is served until the last of them is let go. */
async function drip(target: Besieged, say: (what: string) => void): Promise<void> {
  const post = target.post.join('\r\n');
  const kinds: readonly (readonly [string, string, string])[] = [
    ['says nothing', '', ''],
    ['drips its headers', `GET ${target.path} HTTP/1.1\r\nhost: x\r\nx-slow: `, 'a'],
    ['drips its body', `${post}\r\ncontent-length: 10000\r\n\r\n`, 'a'],
    ['drips chunks', `${post}\r\ntransfer-encoding: chunked\r\n\r\n`, '1\r\na\r\n'],
    ['stops in its body', `${post}\r\ncontent-length: 10000\r\n\r\n{`, ''],
  ];
  const held = kinds.flatMap(([kind, first, drop]) =>
    Array.from({ length: each }, () => ({ kind, ended: hold(target, first, drop).ended })),
  );
  const still = new Set(held);
  for (const one of held) void one.ended.then(() => still.delete(one));
  const all = Promise.all(held.map(({ ended }) => ended));
  let unserved = 0;
  while (still.size > 0) {
    if (!(await isServed(target))) unserved += 1;
    await rest(50);
  }
  if (unserved > 0) say(`${unserved} who behaved were not served beside those who drip`);
  for (const [at, { answer, by }] of (await all).entries()) {
    const kind = held[at]?.kind;
    if (by === 'nobody') say(`who ${kind} is never let go`);
    else if (answer !== '' && !answer.startsWith('HTTP/1.1 408 ')) say(`who ${kind} is told ${answer.slice(0, 60)}`);
  }
}

async function speakNonsense(target: Besieged, say: (what: string) => void): Promise<void> {
  const get = `GET ${target.path} HTTP/1.1\r\nhost: x\r\n`;
  const random = seeded(7);
  const noise = Buffer.from(Array.from({ length: 4_096 }, () => Math.floor(random() * 256)));
  const nonsense: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['a header of 64 kB', `${get}x-long: ${'a'.repeat(65_536)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      'two thousand headers',
      `${get}${Array.from({ length: 2_000 }, (_, at) => `x-${at}: ${at}\r\n`).join('')}\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    ['noise', Buffer.concat([Buffer.from([0x16, 0x03, 0x01]), noise]), /^HTTP\/1\.1 400 /],
    ['two lengths', `${get}content-length: 1\r\ncontent-length: 2\r\n\r\n`, /^HTTP\/1\.1 400 /],
    [
      'a length and chunks',
      `${target.post.join('\r\n')}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    ['no host', `GET ${target.path} HTTP/1.1\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['noise behind a request', Buffer.concat([Buffer.from(`${get}\r\n`), noise]), /^HTTP\/1\.1 (200|400) /],
  ];
  for (const [what, text, wanted] of nonsense) {
    const { answer, by } = await hold(target, text, '').ended;
    if (by === 'nobody') say(`${what}: the connection stays`);
    // One that still sends when it is closed on may hear a reset instead of the answer.
    else if (answer !== '' && !wanted.test(answer)) say(`${what}: answered ${answer.slice(0, 60)}`);
    if (/HTTP\/1\.1 5/.test(answer)) say(`${what}: our fault, it says`);
    if (!(await isServed(target))) say(`${what}: nobody is served after it`);
  }
}

/** More on one connection than it may bring: the last that is answered says that it is the last. */
async function pipeline(target: Besieged, say: (what: string) => void): Promise<void> {
  const { requestsPerConnection: most } = target;
  const { answer, by } = await hold(target, `GET ${target.path} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(most + 20), '')
    .ended;
  if (by === 'nobody') say('one connection brings as many requests as it likes');
  const answered = answer.split('HTTP/1.1 200 ').length - 1;
  if (answered !== most) say(`${answered} of ${most} requests of one connection were answered`);
}

/** More connections than there may be: those beyond are closed without a word, the others are let go in their time. */
async function crowd(target: Besieged, say: (what: string) => void): Promise<void> {
  const beyond = 20;
  const held = Array.from({ length: target.connections + beyond }, () => hold(target, '', ''));
  const ended = await Promise.all(held.map((one) => one.ended));
  const heard = ended.filter(({ answer }) => answer !== '').length;
  if (ended.some(({ by }) => by === 'nobody')) say('one of a crowd is never let go');
  if (heard > target.connections) say(`${heard} connections were kept, and ${target.connections} may be`);
  if (heard === 0) say('nobody of a crowd was heard');
}

/** Says `first`, then a drop every 100 ms, until the server closes it. */
function hold(target: Besieged, first: string | Buffer, drop: string): Held {
  const { hostname, port } = new URL(target.url);
  const socket = connect(Number(port), hostname, () => socket.write(first));
  const chunks: Buffer[] = [];
  const ended = new Promise<Ended>((resolve) => {
    const dripping = setInterval(() => {
      if (drop !== '' && socket.writable) socket.write(drop);
    }, 100);
    let by: Ended['by'] = 'server';
    const patience = setTimeout(() => {
      by = 'nobody';
      socket.destroy();
    }, giveUpMs);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A reset is an end as well.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(dripping);
      clearTimeout(patience);
      resolve({ answer: Buffer.concat(chunks).toString('latin1'), by });
    });
  });
  return { ended };
}

function isServed(target: Besieged): Promise<boolean> {
  return fetch(`${target.url}${target.path}`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(giveUpMs),
  }).then(
    async (answer) => (await answer.text()) !== undefined && answer.status === 200,
    () => false,
  );
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
