/** Compares what everybody knows: customers, books, provider, licences, topics, receivers, mailbox, logs. Answers what does not fit. */
import { services } from '@tillstream/service/manifest';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { examine, isFault } from '@tillstream/doctor/examine';
import type { Client } from 'pg';
import type { Customer } from './customers.ts';
import { connect, readJournal } from './quiet.ts';
import type { Receiver } from './receivers.ts';
import { checkProgram, type Memory } from './merchant-program.ts';
import { codeMark, type Shop } from './shop.ts';
import { checkTopics, type TopicFigures } from './topics.ts';
import { checkReceivers } from './receipts.ts';
import type { World } from './world.ts';

export interface Anomaly {
  readonly check: string;
  readonly what: string;
}

export interface Checked {
  readonly anomalies: readonly Anomaly[];
  readonly figures: {
    readonly orders: number;
    readonly paid: number;
    readonly licences: number;
    readonly captures: number;
    /** Paid after the end of the payment: held for a person, nothing delivered for it. */
    readonly heldForReview: number;
    readonly subscriptions: number;
    readonly renewals: number;
    readonly webhooks: number;
    readonly repeatedWebhooks: number;
    readonly mails: number;
    readonly repeatedMails: number;
  } & TopicFigures;
}

export interface Evidence {
  readonly world: World;
  readonly shops: readonly Shop[];
  readonly customers: readonly Customer[];
  readonly receivers: readonly Receiver[];
  /** Of the merchant's program, and how many codes each product had before it. */
  readonly program: { readonly memory: Memory; readonly codesBefore: number };
  readonly poisoned: readonly { readonly topic: string; readonly key: string; readonly isSent: boolean }[];
}

export async function check(evidence: Evidence): Promise<Checked> {
  const anomalies: Anomaly[] = [];
  const say = (name: string) => (what: string) => anomalies.push({ check: name, what });
  const client = await connect(evidence.world);
  try {
    await checkCustomers(client, evidence.customers, say('customers'));
    const money = await checkMoney(client, evidence.world, say('money'));
    const topics = await checkTopics(client, evidence.world, evidence.poisoned, say('topics'));
    const webhooks = await checkReceivers(client, evidence, say('webhooks'));
    const mails = await checkMails(client, evidence.world, say('mails'));
    await checkProgram(client, evidence.program, say('program'));
    checkLogs(evidence, say('logs'));
    await checkParked(client, evidence.poisoned, say('parked'));
    for (const finding of await examine({ url: evidence.world.postgres.url(), graceSeconds: 0 })) {
      if (isFault(finding) && finding.invariant.name !== 'messages-parked')
        say('doctor')(`${finding.invariant.name}: ${finding.failure ?? JSON.stringify(finding.rows.slice(0, 3))}`);
    }
    const count = async (sql: string) =>
      Number((await client.query<{ n: string }>(`select count(*)::text as n from ${sql}`)).rows[0]?.n);
    return {
      anomalies,
      figures: {
        orders: await count('"order".purchase_order'),
        paid: await count(`"order".purchase_order where status = 'paid'`),
        licences: await count('fulfillment.licence'),
        subscriptions: await count('subscription.subscription'),
        renewals: await count(`"order".purchase_order where subscription_id is not null and status = 'paid'`),
        ...money,
        ...webhooks,
        ...mails,
        ...topics,
      },
    };
  } finally {
    await client.end();
  }
}

type Say = (what: string) => void;

/** What a customer was told is true, and nobody got two. */
export async function checkCustomers(client: Client, customers: readonly Customer[], say: Say): Promise<void> {
  const { rows } = await client.query<{ order_id: string; status: string; email: string }>(
    `select order_id::text, status, customer_email as email from "order".purchase_order where subscription_id is null`,
  );
  const byId = new Map(rows.map((row) => [Number(row.order_id), row]));
  for (const [email, orders] of Map.groupBy(rows, (row) => row.email)) {
    if (orders.length > 1) say(`${email} wanted one order and has ${orders.map((row) => row.order_id).join(', ')}`);
  }
  for (const { number, orderId, email, hasPaid, insists, isThrough } of customers) {
    if (insists && !isThrough) say(`customer ${number} insisted and was not served`);
    if (orderId === undefined) continue;
    const order = byId.get(orderId);
    if (order?.email !== email)
      say(
        `order ${orderId} was acknowledged to customer ${number} and is ${order === undefined ? 'lost' : 'of somebody else'}`,
      );
    else if (hasPaid && order.status !== 'paid')
      say(`customer ${number} has paid order ${orderId}, which is ${order.status}`);
  }
}

/** The provider's journal and our books say the same, to the cent. */
export async function checkMoney(
  client: Client,
  world: Pick<World, 'data'>,
  say: Say,
): Promise<{ captures: number; heldForReview: number }> {
  const { rows } = await client.query<{
    id: string;
    order_id: string;
    status: string;
    amount: string;
    currency: string;
    review: string;
  }>(
    `select payment_id::text as id, order_id::text, status, amount_minor::text as amount, currency, review_reason as review from payment.payment`,
  );
  const payments = new Map(rows.map((row) => [row.id, row]));
  const captures = readJournal(world).filter((entry) => entry.what === 'capture' || entry.what === 'verification');
  const captured = new Set<string>();
  let heldForReview = 0;
  for (const { reference, amount_minor: amount, currency } of captures) {
    const payment = payments.get(reference);
    if (captured.has(reference)) say(`payment ${reference} was captured twice`);
    captured.add(reference);
    if (payment === undefined) say(`the provider has captured ${reference}, which nobody here knows`);
    else if (payment.amount !== amount || payment.currency !== currency)
      say(`payment ${reference} is over ${payment.amount} here and ${amount} there`);
    else if (payment.review !== '') heldForReview += 1;
    else if (payment.status !== 'booked')
      say(`the provider has captured ${reference} of order ${payment.order_id}, which is ${payment.status} here`);
  }
  for (const { id, status } of payments.values())
    if (status === 'booked' && !captured.has(id)) say(`payment ${id} is booked, and the provider knows of no money`);
  const booked = rows.filter((row) => row.status === 'booked');
  for (const [order, some] of Map.groupBy(booked, (row) => row.order_id))
    if (some.length > 1) say(`order ${order} was paid ${some.length} times`);
  return { captures: captures.length, heldForReview };
}

interface Letter {
  readonly id: number;
  readonly message_id: string;
}

/** Of all lives of the mailbox, each once. */
function readLetters(data: string): readonly Letter[] {
  const letters = new Map<string, Letter>();
  for (const file of readdirSync(data).filter((name) => /^mail(\.\d+)?\.jsonl$/.test(name))) {
    for (const line of readFileSync(join(data, file), 'utf8').split('\n')) {
      // A line that a kill cut short.
      if (!line.endsWith('}')) continue;
      const letter: Letter = JSON.parse(line);
      letters.set(`${letter.id} ${letter.message_id}`, letter);
    }
  }
  return [...letters.values()];
}

/** Every mail that is called sent arrived; one that came twice has one Message-ID. */
export async function checkMails(
  client: Client,
  world: Pick<World, 'data'>,
  say: Say,
): Promise<{ mails: number; repeatedMails: number }> {
  const letters = readLetters(world.data);
  const arrived = new Map<string, number>();
  for (const { message_id: id } of letters)
    arrived.set(id.split('@')[0] ?? '', (arrived.get(id.split('@')[0] ?? '') ?? 0) + 1);
  const { rows } = await client.query<{ id: string; status: string }>(
    `select '<' || kind || '.' || about as id, status from notification.mail`,
  );
  const known = new Set(rows.map((row) => row.id));
  for (const { id, status } of rows)
    if (status === 'sent' && !arrived.has(id)) say(`mail ${id} is called sent and did not arrive`);
  for (const id of arrived.keys()) if (!known.has(id)) say(`mail ${id} arrived, and nobody knows of it`);
  return { mails: rows.length, repeatedMails: letters.length - arrived.size };
}

/** What only the buyer and the receivers may know is in no log; and nothing ended in a way that nobody foresaw. */
export function checkLogs(
  {
    world,
    customers,
    shops,
  }: Pick<Evidence, 'customers'> & {
    readonly world: Pick<World, 'data'>;
    readonly shops: readonly { readonly merchant: { readonly key: string } }[];
  },
  say: Say,
): void {
  const keys = shops.map(({ merchant }) => merchant.key);
  const email = customers[0]?.email.replace(/^c\d+/, '') ?? '';
  for (const file of readdirSync(join(world.data, 'logs'))) {
    const text = readFileSync(join(world.data, 'logs', file), 'utf8');
    if (text.includes(codeMark)) say(`${file} has a licence code`);
    if (keys.some((key) => text.includes(key))) say(`${file} has an API key`);
    if (email !== '' && text.includes(email)) say(`${file} has an e-mail address`);
    const crash = /^.*(?:"msg":"(?:uncaughtException|unhandledRejection)").*$/m.exec(text)?.[0];
    if (crash !== undefined) say(`${file}: ${crash.slice(0, 600)}`);
  }
}

/** Nothing is parked but what nobody can read. */
export async function checkParked(client: Client, poisoned: Evidence['poisoned'], say: Say): Promise<void> {
  const found = new Set<string>();
  for (const { schema } of services.filter(({ hears }) => hears.length > 0)) {
    const { rows } = await client.query<{ consumer: string; topic: string; key: string; error: string }>(
      `select consumer, topic, key, error from "${schema}".parked_message order by id`,
    );
    for (const { consumer, topic, key, error } of rows) {
      if (poisoned.some((each) => each.topic === topic && each.key === key)) found.add(`${topic} ${key}`);
      else say(`${consumer} has parked ${key} of ${topic}: ${error}`);
    }
  }
  for (const { topic, key, isSent } of poisoned)
    if (isSent && !found.has(`${topic} ${key}`)) say(`${key} of ${topic} cannot be read, and nobody has parked it`);
}
