// How long a merchant waits for a year of a monthly subscription: `npm run bench:advance` (`-- --runs 8`), one process, each
// run another merchant and another subscription, the first one on a product that has just started. It reports and judges nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { claimPorts } from '@tillstream/testkit/ports';
import { openAccount, post, sell } from './api.ts';
import { Buyers } from './buyer.ts';
import { makeFolder, removeFolder, startForm, type Form } from './form.ts';
import { usageOf } from './processes.ts';
import { openReceiver } from './receiver.ts';

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
const receiver = await openReceiver();
try {
  console.log(`| ${values.by} of a monthly subscription | seconds | CPU of the product | webhooks | fired |`);
  console.log('| --- | --- | --- | --- | --- |');
  for (let run = 1; run <= Number(values.runs); run += 1) console.log(await live(run));
} finally {
  await buyers.close();
  await form.stop();
  receiver.close();
  removeFolder(at.data);
}

async function live(run: number): Promise<string> {
  const shop: Form = { ...form, apiKey: await openAccount(form, `Shop ${run}`) };
  await post(shop, '/v1/webhook_endpoints', { url: receiver.url });
  const more = { subscription: { type: 'AR', period: 'P1M' } };
  const link = await sell(shop, { name: 'Monthly', codes: 40, more });
  await buyers.buy(link, `customer-${run}@example.com`, { auto_renew: '1' });
  await sleep(restMs);
  const before = { heard: receiver.ids.size, ms: usageOf(form.pid).cpuMs.product };
  const startedAt = performance.now();
  const clock = await post<Clock>(shop, '/v1/test_clock/advance', { by: values.by });
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpuMs = usageOf(form.pid).cpuMs.product - before.ms;
  const { status, fired_count: fired } = clock.advance;
  return `| ${run === 1 ? 'the first after a start' : `run ${run}`} (${status}) | ${seconds.toFixed(2)} | ${cpuMs.toFixed(0)} ms | ${receiver.ids.size - before.heard} | ${fired} |`;
}
