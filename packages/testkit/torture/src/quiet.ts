/** When faults have stopped everything must come to rest by itself: what is still owed, in words. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { examine, isFault } from '@tillstream/doctor/examine';
import { kafkaCarrier } from '@tillstream/messaging/kafka-carrier';
import { services } from '@tillstream/service/manifest';
import { quietLog } from '@tillstream/testkit/log';
import { Client } from 'pg';
import type { World } from './world.ts';

const heard = services.filter(({ hears }) => hears.length > 0).map(({ name, hears }) => [name, hears] as const);

const owedRows = {
  'messages that are not sent': services
    .map(({ schema }) => `(select count(*) from "${schema}".outbox where sent_at is null)`)
    .join(' + '),
  'paid orders that are not delivered': `(select count(*) from "order".purchase_order where status = 'paid' and fulfilment_status <> 'delivered')`,
  'webhooks that wait': `(select count(*) from webhook.delivery where status = 'waiting')`,
  'mails that wait': `(select count(*) from notification.mail where status in ('pending', 'sending'))`,
  'callbacks that are not applied': '(select count(*) from payment.callback where applied_at is null)',
  'calls to the provider that are due': `(select count(*) from payment.attempt where settled_at is null and due_at <= merchant_now(merchant_id))`,
  'advances of test clocks that are under way': `(select count(*) from merchant.clock_advance where status in ('running', 'waiting'))`,
  'payments without an outcome': `(select count(*) from payment.payment where status in ('processing', 'confirmed') or is_outcome_unknown)`,
};

export interface Entry {
  readonly what: string;
  readonly payment: string;
  readonly reference: string;
  readonly amount_minor: string;
  readonly currency: string;
}

/** The provider's own book. */
export function readJournal(world: Pick<World, 'data'>): readonly Entry[] {
  return readFileSync(join(world.data, 'sandbox.jsonl'), 'utf8')
    .split('\n')
    .flatMap((line): Entry[] => {
      // A line that a kill cut short.
      if (!line.endsWith('}')) return [];
      const { entry }: { entry?: Entry } = JSON.parse(line);
      return entry === undefined ? [] : [entry];
    });
}

export async function connect(world: World): Promise<Client> {
  const client = new Client({ connectionString: world.postgres.url(), options: '-c search_path=payment' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Empty when everything is done. */
export async function whatIsOwed(world: World): Promise<readonly string[]> {
  const owed: string[] = [];
  for (const name of world.programs.names) if (!(await world.programs.isReady(name))) owed.push(`${name} is not ready`);
  if (owed.length > 0) return owed;
  const client = await connect(world);
  try {
    for (const [what, sql] of Object.entries(owedRows)) {
      const { rows } = await client.query<{ count: string }>(`select (${sql})::text as count`);
      if (rows[0]?.count !== '0') owed.push(`${rows[0]?.count} ${what}`);
    }
    const captures = readJournal(world).filter((entry) => entry.what === 'capture');
    const { rows } = await client.query<{ count: string }>(
      `select count(*)::text as count from unnest($1::uuid[]) as captured (payment_id) join payment using (payment_id)
       where status <> 'booked' and review_reason = ''`,
      [captures.map((entry) => entry.reference)],
    );
    if (rows[0]?.count !== '0') owed.push(`${rows[0]?.count} captures that nobody has booked`);
  } finally {
    await client.end();
  }
  owed.push(...(await lags(world)));
  if (owed.length > 0) return owed;
  const findings = await examine({ url: world.postgres.url(), graceSeconds: 0 });
  return findings
    .filter((finding) => isFault(finding) && finding.invariant.name !== 'messages-parked')
    .map((finding) => `doctor: ${finding.invariant.name} ${finding.failure ?? JSON.stringify(finding.rows[0])}`);
}

async function lags(world: World): Promise<readonly string[]> {
  const carrier = kafkaCarrier({ brokers: [...world.broker.addresses], clientId: 'torture', log: quietLog() });
  try {
    const found: string[] = [];
    for (const [group, topics] of heard) {
      const lag = await carrier.lag(group, topics);
      if (lag > 0n) found.push(`${group} is ${lag} messages behind`);
    }
    return found;
  } finally {
    await carrier.close();
  }
}
