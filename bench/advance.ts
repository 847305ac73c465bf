// How long a merchant waits for a year of a monthly subscription: `npm run bench:advance` (`-- --runs 8`), one process, each
// run another merchant and another subscription, the first one on a product that has just started. It reports and judges nothing.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { claimPorts } from '@tillstream/testkit/ports';
import { openAccount, post, sell } from './api.ts';
import { Buyers } from './buyer.ts';
import { makeFolder, removeFolder, startForm, type Form } from './form.ts';
import { usageOf } from './processes.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '6' },
    by: { type: 'string', default: 'P1Y' },
    split: { type: 'boolean', default: false },
  },
});
// Whoever came before has had all letters and webhooks by then.
const restMs = 2_000;

interface Clock {
  readonly advance: { readonly status: string; readonly fired_count: number };
}

const at = { data: makeFolder(), portBase: await claimPorts() };
const form = await startForm(values.split ? 'split' : 'standalone', at);
const buyers = new Buyers();
const heard = { count: 0 };
const receiver = createServer((message, response) => {
  heard.count += 1;
  message.resume();
  message.on('end', () => response.end('ok'));
});
try {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  console.log(`| ${values.by} of a monthly subscription | seconds | CPU of the product | webhooks | fired |`);
  console.log('| --- | --- | --- | --- | --- |');
  for (let run = 1; run <= Number(values.runs); run += 1) console.log(await live(run));
} finally {
  await buyers.close();
  await form.stop();
  receiver.closeAllConnections();
  receiver.close();
  removeFolder(at.data);
}

async function live(run: number): Promise<string> {
  const shop: Form = { ...form, apiKey: await openAccount(form, `Shop ${run}`) };
  const address = receiver.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await post(shop, '/v1/webhook_endpoints', { url: `http://127.0.0.1:${port}/hooks` });
  const more = { subscription: { type: 'AR', period: 'P1M' } };
  const link = await sell(shop, { name: 'Monthly', codes: 40, more });
  await buyers.buy(link, `customer-${run}@example.com`, { auto_renew: '1' });
  await sleep(restMs);
  const before = { heard: heard.count, ms: usageOf(form.pid).cpuMs.product };
  const startedAt = performance.now();
  const clock = await post<Clock>(shop, '/v1/test_clock/advance', { by: values.by });
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpuMs = usageOf(form.pid).cpuMs.product - before.ms;
  const { status, fired_count: fired } = clock.advance;
  return `| ${run === 1 ? 'the first after a start' : `run ${run}`} (${status}) | ${seconds.toFixed(2)} | ${cpuMs.toFixed(0)} ms | ${heard.count - before.heard} | ${fired} |`;
}
