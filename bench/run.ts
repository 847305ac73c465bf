// What the product costs and how much it bears, on this machine: `npm run bench`. Nothing but the loopback is used, and
// everything that was started is ended. It reports and judges nothing: no test depends on time.
// `--standalone` leaves the split form out and writes nothing; `--statements` lists the statements asked most often;
// `--profile` takes nothing but a profile of the one process.
import process from 'node:process';
import { claimPorts } from '@tillstream/testkit/ports';
import { openCollector } from './collector.ts';
import { countStatementsFromNextStart, prepareServer } from './database-counts.ts';
import { makeFolder, removeFolder, startForm, type Form } from './form.ts';
import { idleOf, installedSize, type Idle } from './idle.ts';
import { compare, measure, type Compared, type Measured } from './measure.ts';
import { canRead } from './processes.ts';
import { profiled, profilerOptions, summary } from './profile.ts';
import { tableOf, writeTable } from './report.ts';
import { Ground } from './window.ts';

const idleSeconds = 20;
const shouldListStatements = process.argv.includes('--statements');
const shouldSplit = !process.argv.includes('--standalone');

const running = new Set<Form>();
const folders = new Set<string>();
if (!canRead) throw new Error('CPU and memory are read from /proc, which this system does not have. Use Linux.');
process.once('SIGINT', () => void tidyUp().finally(() => process.exit(130)));
try {
  await (process.argv.includes('--profile') ? profile() : bench());
} finally {
  await tidyUp();
}

async function bench(): Promise<void> {
  say('installed size');
  const installedBytes = installedSize();
  const at = await place();

  say('first start');
  const first = await start('standalone', at);
  await countStatementsFromNextStart(at);
  await stop(first);

  say('later start');
  const later = await start('standalone', at);
  say(`idle for ${idleSeconds} s`);
  const idle = await idleOf(later, idleSeconds);
  say('purchases in one process');
  const ground = await Ground.open(later);
  const standalone = await measure(ground);
  list(standalone);
  say('the floor and the product in turn');
  const floor = await against(ground, standalone.customers, await startCounted('floor'));
  say('tracing off and on in turn');
  const tracing = await againstTracing(ground, standalone.customers);
  await ground.close();
  await stop(later);

  say('purchases in the split form');
  const { split, splitIdle } = await measureSplit();
  const figures = {
    firstReadyMs: first.readyMs,
    laterReadyMs: later.readyMs,
    installedBytes,
    idle,
    standalone,
    split,
    splitIdle,
    floor,
    tracing,
  };
  const table = tableOf(figures);
  console.log(`\n${table}\n`);
  if (shouldSplit) writeTable(table);
  say('done');
}

/** The same product with its traces sent to a collector, beside the one without. */
async function againstTracing(ground: Ground, customers: number): Promise<Compared> {
  const collector = await openCollector();
  try {
    const compared = await against(
      ground,
      customers,
      await startCounted('standalone', { OTLP_ENDPOINT: collector.url }),
    );
    if (collector.received() === 0) throw new Error('no trace was sent: this would not compare anything');
    return compared;
  } finally {
    collector.close();
  }
}

async function against(ground: Ground, customers: number, form: Form): Promise<Compared> {
  const other = await Ground.open(form);
  try {
    return await compare(ground, other, customers);
  } finally {
    await other.close();
    await stop(form);
  }
}

async function measureSplit(): Promise<{ split: Measured | string; splitIdle?: Idle }> {
  if (!shouldSplit) return { split: 'it was left out.' };
  let form: Form;
  try {
    form = await startCounted('split');
  } catch (error) {
    // No Kafka, most likely; the other figures are worth having.
    const said = error instanceof Error ? error.message : String(error);
    return { split: said.split('\n').findLast((line) => line.includes('Error')) ?? 'it did not start.' };
  }
  const splitIdle = await idleOf(form, idleSeconds);
  const ground = await Ground.open(form);
  const split = await measure(ground);
  list(split);
  await ground.close();
  await stop(form);
  return { split, splitIdle };
}

async function profile(): Promise<void> {
  const { nodeFlags, environment } = profilerOptions();
  const form = await startCounted('standalone', environment, nodeFlags);
  const ground = await Ground.open(form);
  await ground.closed(64, 5);
  say('a profile under a closed loop');
  await profiled(form.pid, () => ground.closed(64, 15));
  await ground.close();
  await stop(form);
  console.log(summary());
}

async function startCounted(name: Form['name'], environment = {}, nodeFlags: readonly string[] = []): Promise<Form> {
  const at = await place();
  await prepareServer(at);
  return start(name, at, { environment, nodeFlags });
}

async function place(): Promise<{ data: string; portBase: number }> {
  const data = makeFolder();
  folders.add(data);
  return { data, portBase: await claimPorts() };
}

async function start(
  name: Form['name'],
  at: { data: string; portBase: number },
  options: Parameters<typeof startForm>[2] = {},
): Promise<Form> {
  const form = await startForm(name, at, options);
  running.add(form);
  return form;
}

async function stop(form: Form): Promise<void> {
  running.delete(form);
  await form.stop();
}

async function tidyUp(): Promise<void> {
  await Promise.all([...running].map((form) => stop(form)));
  for (const folder of folders) removeFolder(folder);
}

function list(measured: Measured): void {
  for (const [what, times] of measured.failures) console.log(`  ${times} × ${what}`);
  if (!shouldListStatements) return;
  for (const [query, times] of measured.cost.topStatements) console.log(`  ${times.toFixed(2)} × ${query}`);
}

function say(what: string): void {
  console.log(`${process.uptime().toFixed(0).padStart(4)} s  ${what} …`);
}
