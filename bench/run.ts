// What the product costs and how much it bears, on this machine, in some four minutes: `npm run bench`. Nothing but the
// loopback is used, and everything that was started is ended. It reports and judges nothing: no test depends on time.
// `--statements` also lists the statements asked most often; `--standalone` leaves the split form out.
import process from 'node:process';
import { countStatementsFromNextStart, prepareServer } from './database-counts.ts';
import { findPortBase, makeFolder, removeFolder, startForm, type Form } from './form.ts';
import { idleOf, installedSize } from './idle.ts';
import { measure, type Measured } from './measure.ts';
import { canRead } from './processes.ts';
import { tableOf, writeTable } from './report.ts';

const idleSeconds = 30;
const shouldListStatements = process.argv.includes('--statements');
const shouldSplit = !process.argv.includes('--standalone');

const running = new Set<Form>();
const folders = new Set<string>();
if (!canRead) throw new Error('CPU and memory are read from /proc, which this system does not have. Use Linux.');
process.once('SIGINT', () => void tidyUp().finally(() => process.exit(130)));
try {
  await bench();
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
  const standalone = await measure(later);
  list(standalone);
  await stop(later);

  say('purchases in the split form');
  const split = await measureSplit();
  const figures = { firstReadyMs: first.readyMs, laterReadyMs: later.readyMs, installedBytes, idle, standalone, split };
  const table = tableOf(figures);
  console.log(`\n${table}\n`);
  if (shouldSplit) writeTable(table);
}

async function measureSplit(): Promise<Measured | string> {
  if (!shouldSplit) return 'it was left out.';
  const at = await place();
  await prepareServer(at);
  let form: Form;
  try {
    form = await start('split', at);
  } catch (error) {
    // No Kafka, most likely; the other figures are worth having.
    return (
      (error instanceof Error ? error.message : String(error)).split('\n').findLast((line) => line.includes('Error')) ??
      'it did not start.'
    );
  }
  const measured = await measure(form);
  list(measured);
  await stop(form);
  return measured;
}

async function place(): Promise<{ data: string; portBase: number }> {
  const data = makeFolder();
  folders.add(data);
  return { data, portBase: await findPortBase() };
}

async function start(name: Form['name'], at: { data: string; portBase: number }): Promise<Form> {
  const form = await startForm(name, at);
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
