// What the same purchase costs when a person writes down as little as an honest shop needs: plain node:http and pg, one
// process, one Postgres. Orders, payments, licences, mails and webhooks are durable before anybody hears of them, a mail or
// webhook that fails is sent again, and no code is sold twice. It has no second merchant, no history, no carrier, no
// refunds, no languages: the distance from here to the product is what these cost. It speaks as the product does, so
// that the same customers and receivers can drive it.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres } from '@tillstream/embedded/server';
import { mailboxApp } from '@tillstream/mailbox/app';
import { createTransport } from 'nodemailer';
import { Pool } from 'pg';
import { Pool as HttpPool } from 'undici';

const data = process.env['TILLSTREAM_DATA'] ?? '';
const port = Number(process.env['PORT_BASE']);
const here = `http://127.0.0.1:${port}`;
const secret = randomBytes(32);
mkdirSync(data, { recursive: true });
const server = await startEmbeddedPostgres({ directory: join(data, 'postgres'), port: port + 6 });
const owner = new Pool({ connectionString: server.url(), max: 1 });
await owner.query(`
  do $$ begin if not exists (select from pg_roles where rolname = 'floor') then create role floor superuser login password 'floor'; end if; end $$;
  create schema if not exists fulfillment;
  create table if not exists product (id bigint primary key generated always as identity, name text, price bigint);
  create table if not exists endpoint (url text);
  create table if not exists code (id bigint primary key generated always as identity, product_id bigint, code text, order_id bigint);
  create index if not exists free_code on code (product_id, id) where order_id is null;
  create table if not exists cart (id uuid primary key, product_id bigint, quantity int);
  create table if not exists "order" (id bigint primary key generated always as identity, token text, product_id bigint, email text, name text, country text, total bigint, status text default 'open', created_at timestamptz default now());
  create table if not exists payment (id uuid primary key, order_id bigint, status text default 'open');
  create table if not exists fulfillment.licence (order_id bigint primary key, code text, issued_at timestamptz default clock_timestamp());
  create table if not exists mail (id bigint primary key generated always as identity, recipient text, subject text, body text);
  create table if not exists webhook (id bigint primary key generated always as identity, order_id bigint, event text, body text)`);
await owner.end();

const database = new Pool({ connectionString: server.url('postgres', 'floor', 'floor'), max: 16 });
const names = new Map<string, string>();
async function ask<T = unknown>(text: string, values: readonly unknown[] = []): Promise<readonly T[]> {
  const name = names.get(text) ?? names.set(text, `s${names.size}`).get(text) ?? '';
  return (await database.query({ name, text, values: [...values] })).rows;
}

interface Order {
  readonly id: string;
  readonly status: string;
  readonly total: string;
}
interface Request {
  readonly id: string;
  readonly token: string;
  readonly form: URLSearchParams;
  readonly text: string;
}
const page = (title: string, body: string) =>
  `<!doctype html><html lang="en"><title>${title}</title><body><h1>${title}</h1><form method="post">${body}<button>Continue</button></form></body></html>`;
const orderOf = async ({ id, token }: Request): Promise<Order> => {
  const [order] = await ask<Order>('select id, status, total from "order" where id = $1 and token = $2', [id, token]);
  if (order === undefined) throw new Error('no such order');
  return order;
};
const made = (body: object) => JSON.stringify(body);

const routes: Record<string, (request: Request) => Promise<string | URL>> = {
  'GET buy': async ({ id }) => {
    const cart = randomUUID();
    await ask('insert into cart values ($1, $2, 1)', [cart, id]);
    return new URL(`${here}/cart/${cart}`);
  },
  'GET cart': async ({ id }) => {
    const [cart] = await ask<{ name: string; price: string }>(
      'select name, price from cart join product p on p.id = product_id where cart.id = $1',
      [id],
    );
    return page(
      'Checkout',
      `${cart?.name}<input name="cart_version" value="1"><input name="total_minor" value="${cart?.price}">`,
    );
  },
  'POST cart': async ({ id, form }) => {
    if (!/^[^@\s]+@[^@\s]+$/.test(form.get('email') ?? '') || form.get('terms_accepted') !== 'yes')
      return page('Checkout', 'Please fill in the form.');
    const token = randomBytes(16).toString('hex');
    const values = [id, token, form.get('email'), form.get('last_name'), form.get('country'), form.get('total_minor')];
    const [order] = await ask<{ id: string }>(
      `with o as (insert into "order" (token, product_id, email, name, country, total)
         select $2, product_id, $3, $4, $5, p.price from cart join product p on p.id = product_id where cart.id = $1 and p.price = $6 returning id, email),
       m as (insert into mail (recipient, subject, body) select email, 'Your order ' || id, 'Thank you for your order ' || id from o)
       insert into webhook (order_id, event) select id, 'order.created' from o returning order_id as id`,
      values,
    );
    wake();
    return new URL(`${here}/pay/${order?.id}/${token}`);
  },
  'GET pay': async (request) => page('Payment', `${(await orderOf(request)).total} EUR`),
  'POST pay': async (request) => {
    const payment = randomUUID();
    await ask('insert into payment (id, order_id) select $1, id from "order" where id = $2 and token = $3', [
      payment,
      request.id,
      request.token,
    ]);
    return new URL(`${here}/card/${payment}/${request.token}`);
  },
  'GET card': async () => page('Card', '<input name="number"><input name="expiry"><input name="cvc">'),
  'POST card': async ({ id, token, form }) => {
    if (form.get('number') !== '4242 4242 4242 4242') return page('Card', 'Declined');
    const [order] = await ask<{ id: string }>(
      `with p as (update payment set status = 'booked' where id = $1 and status = 'open' returning order_id),
       o as (update "order" set status = 'paid' from p where id = p.order_id and status = 'open' returning id, product_id, email),
       c as (update code set order_id = o.id from o where code.id = (select id from code where product_id = o.product_id and order_id is null order by id limit 1 for update skip locked) returning o.id, o.email, code),
       l as (insert into fulfillment.licence select id, code from c),
       m as (insert into mail (recipient, subject, body) select email, 'Your licence', 'Your licence code: ' || code from c),
       w as (insert into webhook (order_id, event, body) select id, 'order.payment.succeeded', null from c union all select id, 'product.delivered', code from c)
       select order_id as id from p`,
      [id],
    );
    wake();
    return new URL(`${here}/thanks/${order?.id}/${token}`);
  },
  'GET thanks': async (request) => page('Thank you', (await orderOf(request)).status),
  // The merchant's side, of which the figures take nothing.
  'POST v1/webhook_endpoints': async ({ text }) =>
    made(await ask('insert into endpoint values ($1)', [JSON.parse(text).url])),
  'POST v1/products': async ({ id, text }) => {
    const body: { name: string; codes: readonly string[] } = JSON.parse(text);
    if (id !== '')
      return made(await ask('insert into code (product_id, code) select $1, unnest($2::text[])', [id, body.codes]));
    const [row] = await ask<{ id: string }>('insert into product (name, price) values ($1, 10000) returning id', [
      body.name,
    ]);
    return made({ id: row?.id, checkout_url: `${here}/buy/${row?.id}` });
  },
};

const http = createServer(async (message, response) => {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const path = (message.url ?? '').split('?')[0]?.split('/') ?? [];
    const start = path[1] === 'v1' ? 3 : 2;
    const route = routes[`${message.method} ${path.slice(1, start).join('/')}`];
    if (route === undefined) return void response.writeHead(404).end();
    const answer = await route({
      id: path[start] ?? '',
      token: path[start + 1] ?? '',
      form: new URLSearchParams(text),
      text,
    });
    if (answer instanceof URL) response.writeHead(303, { location: answer.href }).end();
    else response.writeHead(200, { 'content-type': 'text/html' }).end(answer);
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});

const mail = createTransport({ url: `smtp://127.0.0.1:${port + 5}`, pool: true, maxConnections: 5 });
const receivers = new Map<string, HttpPool>();
const sleepers = new Set<() => void>();
function wake(): void {
  for (const rise of sleepers) rise();
  sleepers.clear();
}

/** What is owed is a row until it was taken; what failed stays and is tried again. Webhooks of an order go in order. */
async function sendMails(): Promise<number> {
  const due = await ask<{ id: string; recipient: string; subject: string; body: string }>(
    'select * from mail order by id limit 50',
  );
  const send = ({ id, recipient: to, subject, body: text }: (typeof due)[number]) =>
    mail.sendMail({ from: 'shop@example.com', to, subject, text }).then(
      () => [id],
      () => [],
    );
  const sent = (await Promise.all(due.map(send))).flat();
  if (sent.length > 0) await ask('delete from mail where id = any ($1)', [sent]);
  return sent.length;
}

interface Webhook {
  readonly id: string;
  readonly order_id: string;
  readonly event: string;
  readonly code: string | null;
  readonly url: string;
}

async function sendWebhooks(): Promise<number> {
  const due = await ask<Webhook>(
    `select distinct on (order_id) w.id, order_id, event, body as code, url from (select * from webhook order by id limit 300) w, endpoint order by order_id, id`,
  );
  const sent = (await Promise.all(due.map(sendWebhook))).flat();
  if (sent.length > 0) await ask('delete from webhook where id = any ($1)', [sent]);
  return sent.length;
}

/** Answers its id when it was taken. */
async function sendWebhook(due: Webhook): Promise<readonly string[]> {
  const body = made({
    event: due.event,
    order_id: Number(due.order_id),
    product: due.code === null ? {} : { activation_codes: [due.code] },
  });
  const at = Math.floor(Date.now() / 1_000);
  const signature = createHmac('sha256', secret).update(`${due.id}.${at}.${body}`).digest('base64');
  const { origin, pathname } = new URL(due.url);
  const pool = receivers.get(origin) ?? receivers.set(origin, new HttpPool(origin, { connections: 64 })).get(origin);
  const headers = {
    'content-type': 'application/json',
    'webhook-id': due.id,
    'webhook-timestamp': String(at),
    'webhook-signature': `v1,${signature}`,
  };
  const answer = await pool?.request({ path: pathname, method: 'POST', headers, body }).catch(() => undefined);
  await answer?.body.dump();
  return answer !== undefined && answer.statusCode < 300 ? [due.id] : [];
}

/** Woken by whoever owes something; once a second it looks anyway. */
async function keepSending(send: () => Promise<number>): Promise<void> {
  for (;;) {
    const woken = new Promise<void>((resolve) => void sleepers.add(resolve));
    while ((await send().catch(() => 0)) > 0);
    await Promise.race([woken, sleep(1_000)]);
  }
}

const mailbox = mailboxApp({
  config: { SMTP_HOST: '127.0.0.1', SMTP_PORT: port + 5, MAILBOX_FILE: join(data, 'mail.jsonl') },
});
for (const worker of mailbox.workers ?? []) void worker.run(new AbortController().signal);
void keepSending(sendMails);
void keepSending(sendWebhooks);
http.listen(port, '127.0.0.1', () => console.log(`READY ${JSON.stringify({ gateway: here, api_key: 'floor' })}`));
process.once(
  'SIGTERM',
  () =>
    void database
      .end()
      .then(() => server.stop())
      .then(() => process.exit(0)),
);
