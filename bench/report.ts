/** The figures as a table, each beside its goal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { percentile } from './gate.ts';
import type { Idle } from './idle.ts';
import type { Compared, Measured } from './measure.ts';

export interface Figures {
  readonly firstReadyMs: number;
  readonly laterReadyMs: number;
  readonly installedBytes: number | undefined;
  readonly idle: Idle;
  readonly standalone: Measured;
  /** A sentence instead where there is no Kafka. */
  readonly split: Measured | string;
  readonly splitIdle?: Idle | undefined;
  /** A is the product, B the hand-written minimum. */
  readonly floor: Compared;
  /** A is without, B with traces sent. */
  readonly tracing: Compared;
}

type Row = readonly [what: string, standalone: string, split: string, goal: string];

const megabytes = (bytes: number | undefined) =>
  bytes === undefined ? 'not measured' : `${(bytes / 1e6).toFixed(0)} MB`;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const ms = (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const both = (values: readonly number[]) => `${ms(percentile(values, 0.5))} / ${ms(percentile(values, 0.99))}`;

export function tableOf(figures: Figures): string {
  const { idle, standalone } = figures;
  const split = typeof figures.split === 'string' ? undefined : figures.split;
  const row = (what: string, show: (measured: Measured) => string, goal = ''): Row => [
    what,
    show(standalone),
    split === undefined ? '–' : show(split),
    goal,
  ];
  const rows: readonly Row[] = [
    [
      'First start on empty data, packages installed, to READY',
      seconds(figures.firstReadyMs),
      '',
      '≤ 120 s with download',
    ],
    ['Later start, to READY', seconds(figures.laterReadyMs), '', '≤ 5 s; ≤ 3 s'],
    ['Installed for `npm start`', megabytes(figures.installedBytes), '', ''],
    ['Memory idle: the process', megabytes(idle.memory.product), '', '≤ 300 MB'],
    [
      'Memory idle: with its Postgres (shared pages once)',
      megabytes(idle.memory.product + idle.memory.postgres),
      '',
      '',
    ],
    ['CPU idle, of one core: the process', percent(idle.cpu.product), '', '≤ 3 %'],
    ['CPU idle, of one core: with its Postgres', percent(idle.cpu.product + idle.cpu.postgres), '', '≤ 3 %'],
    [
      'Statements / transactions a second, idle',
      `${idle.statementsPerSecond?.toFixed(1) ?? 'not measured'} / ${idle.transactionsPerSecond.toFixed(1)}`,
      '',
      '',
    ],
    row('Customers at once, of 16, 64 and 128 the fewest that keep it busy', (of) => String(of.customers)),
    row('Purchases a second, closed loop', (of) => of.perSecond.toFixed(1)),
    row('… until the last mail and webhook was out', (of) => of.fulfilledPerSecond.toFixed(1)),
    row('… wholly fulfilled when the last customer was thanked', (of) => percent(of.closed.atOnce)),
    row('… paid → licence, p50 / p99', (of) => both(of.closed.toLicence)),
    row('… paid → first webhook, p50 / p99', (of) => both(of.closed.toWebhook)),
    row('… every order right', (of) => (of.closed.isValid ? 'yes: ' : 'NO: ') + of.closed.verdict, 'yes'),
    row('Open loop at half of that: arrivals a second', (of) => of.openRate.toFixed(0)),
    row('… the eight requests of a purchase, p50 / p99', (of) => `${ms(of.session.p50)} / ${ms(of.session.p99)}`),
    row('… one of these requests, p50 / p99', (of) => `${ms(of.request.p50)} / ${ms(of.request.p99)}`, 'p99 ≤ 10 ms'),
    row('… paid → licence, p50 / p99', (of) => both(of.open.toLicence), 'p99 ≤ 150 ms'),
    row('… paid → first webhook, p50 / p99', (of) => both(of.open.toWebhook), 'p99 ≤ 250 ms'),
    row('… every order right', (of) => (of.open.isValid ? 'yes: ' : 'NO: ') + of.open.verdict, 'yes'),
    row('SQL statements a purchase', (of) => of.cost.statements?.toFixed(1) ?? 'not measured', '≤ 12'),
    row('… of them `set local`, which says whose rows may be seen', (of) => of.cost.scope.toFixed(1)),
    row('… begin, commit and their kind besides', (of) => of.cost.control.toFixed(1)),
    row('Transactions a purchase', (of) => of.cost.transactions.toFixed(1), '≤ 8'),
    row('WAL a purchase', (of) => `${(of.cost.walBytes / 1_000).toFixed(1)} kB`, '≤ 12 kB'),
    row('… whole pages in it, after a checkpoint', (of) => of.cost.wholePages.toFixed(1)),
    row('WAL syncs a purchase', (of) => of.cost.walSyncs.toFixed(1), '≤ 2'),
    row('CPU a purchase: Node', (of) => ms(of.cost.productMs), '≤ 1.3 ms; split ≤ 3.5 ms'),
    row('CPU a purchase: Postgres', (of) => ms(of.cost.postgresMs)),
    row('CPU a purchase: Kafka', (of) => (of.cost.kafkaMs === 0 ? '–' : ms(of.cost.kafkaMs))),
    row('CPU a purchase: the bench itself', (of) => ms(of.cost.benchMs)),
    row('Cores that other programs kept busy meanwhile', (of) => of.cost.othersCores.toFixed(2), '0'),
  ];
  const lines = [
    '| | one process | split, Kafka | goal |',
    '|---|---|---|---|',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ];
  const { floor, tracing } = figures;
  const show = ({ isValid }: Compared) => (isValid ? '' : '; NOT VALID, an order was wrong');
  lines.push(
    '',
    `The product ÷ the hand-written minimum: ${(1 / floor.ratio).toFixed(2)} (goal 2: ≥ 0.7): ${floor.a.toFixed(1)} against ${floor.b.toFixed(1)} purchases a second in turn, ${ms(floor.cpuA)} against ${ms(floor.cpuB)} of CPU a purchase${show(floor)}.`,
    '',
    `Tracing on ÷ off: ${tracing.ratio.toFixed(2)} (goal 4: ≥ 0.85): ${tracing.b.toFixed(1)} against ${tracing.a.toFixed(1)} purchases a second in turn, ${ms(tracing.cpuB)} against ${ms(tracing.cpuA)} of CPU a purchase${show(tracing)}.`,
  );
  if (figures.splitIdle !== undefined) {
    const services = figures.splitIdle.services
      .toSorted((a, b) => b.memory - a.memory)
      .map(({ name, cpu, memory }) => `${name} ${percent(cpu)}, ${megabytes(memory)}`);
    lines.push('', `Idle in the split form (goal 12: ≤ 3 % of a core, ≤ 130 MB each): ${services.join('; ')}.`);
  }
  if (split !== undefined) {
    const shares = split.cost.byProcess.map(([name, cost]) => `${name} ${cost.toFixed(1)}`).join(', ');
    lines.push(
      '',
      `Split form ÷ one process: ${(split.perSecond / standalone.perSecond).toFixed(2)} (goal 5: ≥ 0.6). CPU ms a purchase by process: ${shares}.`,
    );
  } else if (typeof figures.split === 'string') {
    lines.push('', `The split form was not measured: ${figures.split}`);
  }
  const others = Math.max(standalone.cost.othersCores, split?.cost.othersCores ?? 0);
  if (others > 0.1)
    lines.push(
      '',
      `Other programs kept up to ${others.toFixed(1)} cores busy: rates are too low and times too long by that, and the forms cannot be compared.`,
    );
  const machine = `${availableParallelism()} cores, Node ${process.versions.node}, PostgreSQL with fsync on`;
  return [`Taken on ${new Date().toISOString().slice(0, 10)}: ${machine}.`, '', ...lines].join('\n');
}

/** Between the two markers of README.md; the words around them are a person's. */
export function writeTable(table: string): void {
  const file = join(import.meta.dirname, 'README.md');
  const text = readFileSync(file, 'utf8');
  const [begin, end] = ['<!-- figures -->', '<!-- end of figures -->'];
  if (!text.includes(begin) || !text.includes(end)) throw new Error('README.md has lost its markers');
  writeFileSync(
    file,
    `${text.slice(0, text.indexOf(begin) + begin.length)}\n${table}\n${text.slice(text.indexOf(end))}`,
  );
}
