/** `npm run torture -- --minutes M [--seed S] [--mutant id]`: the split form under load and fire, then peace, then the check of all promises. */
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { seeded } from '@tillstream/testkit/fault-proxy';
import { mutants } from '@tillstream/testkit/mutants/catalogue';
import { check } from './checker.ts';
import { Customers } from './customers.ts';
import { Faults } from './faults.ts';
import { History } from './history.ts';
import { MerchantProgram } from './merchant-program.ts';
import { planOf } from './plan.ts';
import { whatIsOwed } from './quiet.ts';
import { startReceiver } from './receivers.ts';
import { writeReport } from './report.ts';
import { openShop } from './shop.ts';
import { travel } from './traveller.ts';
import { openWorld, untilReady } from './world.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    /** Customers per second. */
    rate: { type: 'string', default: '3.3' },
    /** A bug of ../mutants in every service: the run is to find it. */
    mutant: { type: 'string', default: '' },
    report: { type: 'string', default: 'torture-report.json' },
    /** Where logs and journals are copied to in the end. */
    keep: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(`npm run torture -- [options]

  --minutes 5          under load and faults, at most 600; the quiet and the check come after it
  --seed n             of what is drawn; said with the report
  --rate 3.3           customers per second
  --mutant id          with a bug of packages/testkit/mutants, which the run is to find
  --report file        torture-report.json
  --keep folder        where logs and journals are copied to
  --help

Exits 1 when a promise was broken. packages/testkit/torture/README.md tells the rest.`);
  process.exit(0);
}
const minutes = Number(values.minutes);
const rate = Number(values.rate);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (!(minutes > 0 && minutes <= 600 && rate > 0 && Number.isInteger(seed))) {
  console.error(
    'npm run torture -- [--minutes 5] [--seed n] [--rate 3.3] [--mutant id] [--report torture-report.json] [--keep folder]',
  );
  process.exit(2);
}

if (values.mutant !== '' && !mutants.some(({ id }) => id === values.mutant)) {
  console.error(`torture: there is no mutant ${values.mutant}. Ids: ${mutants.map(({ id }) => id).join(', ')}`);
  process.exit(2);
}

// I16: what the faults left behind is done by then. Longer is an anomaly; we wait on, to say whether it ever is.
const restWithinMs = 120_000;
// With a planted bug there may be no rest; longer teaches nothing.
const giveUpMs = values.mutant === '' ? 600_000 : restWithinMs;
// Whoever meets an outage insists; more than these would be a crowd, and no shop's customers.
const mostAtOnce = 250;
const startedAt = Date.now();
const isTerminal = process.stdout.isTTY;
const say = (what: string) => {
  const line = `${Math.round((Date.now() - startedAt) / 1_000)} s  ${what}`;
  if (isTerminal) process.stdout.write(`\r\u001b[K${line}`);
  else console.log(line);
};
const wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
// Each part draws from numbers of its own, so that what one does leaves the others' as they are.
const random = {
  plan: seeded(seed),
  choices: seeded(seed ^ 0x1111),
  customers: seeded(seed ^ 0x2222),
  receivers: seeded(seed ^ 0x3333),
  starts: seeded(seed ^ 0x4444),
  program: seeded(seed ^ 0x5555),
};

say(`torture with seed ${seed}${values.mutant === '' ? '' : ` and the mutant ${values.mutant}`}`);
const world = await openWorld({ seed, mutant: values.mutant }, random.starts, say);
const closers: (() => Promise<unknown>)[] = [() => world.stop()];
let isAsked = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (isAsked) process.exit(1);
    isAsked = true;
    void world.stop().finally(() => process.exit(1));
  });
try {
  process.exitCode = (await run()) ? 0 : 1;
} catch (error) {
  console.error(`\ntorture: FAILED with seed ${seed}:`, error);
  if (values.keep !== undefined) keep(values.keep);
  process.exitCode = 1;
} finally {
  for (const close of closers.toReversed()) await close().catch(() => undefined);
}
process.exit();

async function run(): Promise<boolean> {
  const history = new History(join(world.data, 'history.jsonl'));
  const receivers = await Promise.all([1, 2, 3].map(() => startReceiver(random.receivers)));
  for (const receiver of receivers) closers.push(() => receiver.stop());
  const [well, flaky, third] = receivers;
  if (well === undefined || flaky === undefined || third === undefined) throw new Error('no receivers');
  const codesEach = Math.ceil(minutes * 60 * rate) + 200;
  say('opening two shops');
  const shop = await openShop(world, history, { name: 'shop', receivers: [well.url, flaky.url], codesEach });
  // Its clock is led from month to month, so that renewals are charged under fire.
  const traveller = await openShop(world, history, { name: 'traveller', receivers: [third.url], codesEach: 2_000 });
  const endpoints = [...shop.endpoints, ...traveller.endpoints];
  for (const receiver of receivers) receiver.secret = endpoints.find(({ url }) => url === receiver.url)?.secret ?? '';
  flaky.failing = 0.05;

  const faults = new Faults(world, random.choices);
  const customers = new Customers(history, random.customers, wait);
  const beganAt = Date.now();
  const endAt = beganAt + minutes * 60_000;
  const underWay = new Set<Promise<void>>();
  const track = (work: Promise<void>) => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  };
  for (const { kind, atMs } of planOf(minutes, random.plan))
    setTimeout(
      () =>
        track(faults.fire(kind).catch((error: unknown) => history.note('fault', 'info', { kind, why: String(error) }))),
      atMs,
    );
  const journeys = travel(traveller.merchant, history, wait, endAt);
  track(journeys.then(() => undefined));
  const program = new MerchantProgram(shop, { history, random: random.program, wait });
  // Who subscribes may be a customer of the other shop.
  const paidOrders = () =>
    customers.all.flatMap(({ hasPaid, habit, orderId }) => (hasPaid && habit === 'pays' && orderId) || []);
  track(program.work(endAt, paidOrders));
  let visits = 0;
  for (let nextAt = beganAt; nextAt < endAt; nextAt += 1_000 / rate) {
    await wait(Math.max(0, nextAt - Date.now()));
    // Behind its time, as customers who find a shop closed: they do not all come at once later.
    if (Date.now() > nextAt + 5_000) nextAt = Date.now();
    if (customers.busy < mostAtOnce) {
      visits += 1;
      track(visits % 40 === 5 ? customers.visit(traveller, 'renews') : customers.visit(shop));
    }
    if (visits % 10 === 0) {
      const kills = world.programs.endings.filter(({ signal }) => signal === 'SIGKILL').length;
      say(`${visits} customers, ${kills} kills, ${faults.fired.length} faults`);
    }
  }
  say('peace: faults end, customers finish');
  await faults.end();
  await untilReady(world.programs, 300_000);
  customers.peace();
  program.peace();
  await Promise.race([Promise.all(underWay), wait(180_000)]);
  await customers.comeBack();
  const peaceAt = Date.now();
  let owed = await owedNow();
  while (owed.length > 0 && Date.now() - peaceAt < giveUpMs) {
    say(`waiting for ${owed[0]}${owed.length > 1 ? ` and ${owed.length - 1} more` : ''}`);
    await wait(1_000);
    owed = await owedNow();
  }
  const quietAfterMs = Date.now() - peaceAt;
  say('comparing the books');
  const checked = await check({
    world,
    shops: [shop, traveller],
    customers: customers.all,
    receivers,
    program: { memory: program.memory, codesBefore: shop.codesEach },
    poisoned: faults.poisoned,
  });
  const late =
    owed.length > 0
      ? [{ check: 'rest', what: `never came to rest: ${owed.join('; ')}` }]
      : quietAfterMs > restWithinMs
        ? [{ check: 'rest', what: `came to rest after ${Math.round(quietAfterMs / 1_000)} s` }]
        : [];
  const whole = { ...checked, anomalies: [...checked.anomalies, ...late] };
  const verdict = writeReport(resolve(values.report), {
    seed,
    minutes,
    world,
    fired: faults.fired,
    dropped: faults.dropped,
    checked: whole,
    operations: history.counts(),
    troubles: history.troubles(),
    journeys: await journeys,
    mutant: values.mutant,
    quietAfterMs,
    tookMs: Date.now() - startedAt,
  });
  await customers.close();
  history.close();
  if (values.keep !== undefined) keep(values.keep);
  if (isTerminal) process.stdout.write('\r\u001b[K');
  for (const { check: name, what } of whole.anomalies.slice(0, 20)) console.log(`  ${name}: ${what}`);
  console.log(verdict);
  return (whole.anomalies.length === 0) === (values.mutant === '');
}

async function owedNow(): Promise<readonly string[]> {
  return whatIsOwed(world).catch((error: unknown) => [String(error)]);
}

function keep(folder: string): void {
  for (const each of ['logs', 'history.jsonl', 'sandbox.jsonl', 'mail.jsonl'])
    cpSync(join(world.data, each), join(resolve(folder), each), { recursive: true });
}
