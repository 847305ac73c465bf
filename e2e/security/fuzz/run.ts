/** npm run fuzz -- --requests 20000 --seed 7: the whole product on free ports, and requests of every kind to every route. */
import { parseArgs } from 'node:util';
import { startShops } from '../shops.ts';
import { fuzz } from './campaign.ts';

const { values } = parseArgs({ options: { requests: { type: 'string' }, seed: { type: 'string' } } });
const requests = whole('requests', values.requests ?? '20000');
const seed = whole('seed', values.seed ?? String(Math.floor(Math.random() * 1_000_000)));

const product = await startShops();
try {
  const verdict = await fuzz(product, { requests, seed, progress: showProgress });
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
  for (const complaint of verdict.complaints) console.log(complaint);
  const seen = [...verdict.statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  const what =
    verdict.complaints.length === 0 ? 'nothing found' : `FAILED with ${verdict.complaints.length} complaints`;
  console.log(
    `fuzz: ${what}; ${verdict.requests} requests to ${verdict.operations} operations in ${(verdict.tookMs / 1_000).toFixed(0)} s, the slowest ${verdict.slowestMs.toFixed(0)} ms, seed ${seed} (${seen.join(', ')})`,
  );
  process.exitCode = verdict.complaints.length === 0 ? 0 : 1;
} finally {
  await product.stop();
  product.forget();
}

function showProgress(done: number): void {
  if (process.stdout.isTTY && done % 100 === 0) process.stdout.write(`\rfuzz: ${done} of ${requests}, seed ${seed}`);
}

function whole(name: string, text: string): number {
  if (!/^\d{1,7}$/.test(text)) {
    console.error(`--${name} is a whole number, not ${JSON.stringify(text)}.`);
    process.exit(2);
  }
  return Number(text);
}
