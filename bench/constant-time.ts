// Whether the time of a "no" tells how much of an order's token is right: `node bench/constant-time.ts` (two minutes, one
// process, over HTTP as an attacker has it). Two kinds of wrong tokens, drawn at random: right up to its last character,
// and wrong from the first. Welch's t between them; the same for right against wrong, to show that a difference is seen.
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Client, request } from 'undici';
import { claimPorts } from '@tillstream/testkit/ports';
import { Buyers } from './buyer.ts';
import { makeFolder, removeFolder, startForm } from './form.ts';
import { openShop } from './shop.ts';

const { values } = parseArgs({ options: { samples: { type: 'string', default: '40000' } } });
const samples = Number(values.samples);
// The usual border: beyond it a difference is taken for one (about one in 100,000 by chance).
const border = 4.5;
// The slowest tenth is what else the machine did.
const kept = 0.9;

const at = { data: makeFolder(), portBase: await claimPorts() };
const form = await startForm('standalone', at);
const shop = await openShop(form, 10);
const buyers = new Buyers();
try {
  const { orderId } = await buyers.buy(shop.links[0] ?? '', 'timed@example.com');
  const answer = await request(`${form.gateway}/v1/orders/${orderId}`, {
    headers: { authorization: `Bearer ${form.apiKey}` },
  });
  const order = (await answer.body.json()) as { readonly detail_url: string };
  const [, origin = '', token = ''] = /^(https?:\/\/[^/]+)\/.*\/([0-9a-f]{32})$/.exec(order.detail_url) ?? [];
  if (token === '') throw new Error(`no token in ${order.detail_url}`);
  const client = new Client(origin);
  const time = async (tried: string): Promise<number> => {
    const startedAt = performance.now();
    const { body } = await client.request({ method: 'GET', path: `/thanks/${orderId}/${tried}/status` });
    await body.dump();
    return performance.now() - startedAt;
  };
  const wrongAtEnd = () => token.slice(0, -1) + other(token.slice(-1));
  const wrongAtOnce = () => other(token.slice(0, 1)) + randomBytes(16).toString('hex').slice(1);
  for (let warm = 0; warm < 2_000; warm += 1) await time(warm % 2 === 0 ? wrongAtEnd() : wrongAtOnce());
  const secret = await compare(time, wrongAtEnd, wrongAtOnce, samples);
  const control = await compare(time, () => token, wrongAtOnce, Math.ceil(samples / 2));
  await client.close();
  const verdict = Math.abs(secret) < border ? 'constant' : 'NOT CONSTANT';
  console.log(
    `constant-time: ${verdict}, t = ${secret.toFixed(2)} of ${samples} samples (border ${border}); right against wrong: t = ${control.toFixed(1)}`,
  );
  // A measurement that cannot tell right from wrong says nothing about half right.
  process.exitCode = Math.abs(secret) < border && Math.abs(control) >= border ? 0 : 1;
} finally {
  await buyers.close();
  await shop.close();
  await form.stop();
  removeFolder(at.data);
}

async function compare(
  time: (tried: string) => Promise<number>,
  first: () => string,
  second: () => string,
  count: number,
): Promise<number> {
  const [of, than]: [number[], number[]] = [[], []];
  for (let nth = 0; nth < count; nth += 1) {
    if (Math.random() < 0.5) of.push(await time(first()));
    else than.push(await time(second()));
  }
  // One border for both: each its own would hide a difference in the tails.
  const slow = [...of, ...than].toSorted((a, b) => a - b)[Math.floor(count * kept)] ?? Infinity;
  return welch(
    of.filter((ms) => ms < slow),
    than.filter((ms) => ms < slow),
  );
}

function welch(of: readonly number[], than: readonly number[]): number {
  const [a, b] = [momentsOf(of), momentsOf(than)];
  return (a.mean - b.mean) / Math.sqrt(a.variance / of.length + b.variance / than.length);
}

function momentsOf(numbers: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  return { mean, variance: numbers.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (numbers.length - 1) };
}

function other(digit: string): string {
  return digit === '0' ? '1' : '0';
}
