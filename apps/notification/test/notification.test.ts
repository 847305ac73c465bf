import { randomUUIDv7 } from 'node:crypto';
import { Merchant, Product } from '@tillstream/proto/merchant/v1/merchant_api';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { startTelemetry } from '@tillstream/telemetry/start';
import { traceIdOf } from '@tillstream/telemetry/trace';
import { eventually } from '@tillstream/testkit/eventually';
import type { ReceivedMail } from '@tillstream/testkit/mailbox';
import { startOtlpReceiver, type OtlpReceiver } from '@tillstream/testkit/otlp-receiver';
import { expectTenantIsolation } from '@tillstream/testkit/tenants';
import { sql } from 'kysely';
import { messageOf } from '@tillstream/testkit/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  anOrder,
  delivered,
  licencesOf,
  openWorld,
  orderMessage,
  paid,
  poolLowMessage,
  traceparent,
  type World,
} from './world.ts';

let world: World;
let receiver: OtlpReceiver;
let telemetry: Awaited<ReturnType<typeof startTelemetry>>;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  telemetry = await startTelemetry({ service: 'notification', otlpEndpoint: receiver.endpoint, exportEveryMs: 50 });
  world = await openWorld();
});
afterAll(async () => {
  await world.close();
  await telemetry.stop();
  await receiver.stop();
});

const to = (address: string | undefined) => (mail: ReceivedMail) => mail.envelopeTo.includes(address ?? '');
const mailsTo = (address: string | undefined) => world.mailbox().messages().filter(to(address));

/** Everything said before it has been handled when its mail is there. */
async function marker(): Promise<void> {
  const order = anOrder();
  world.known.orders.set(order.orderId, order);
  await world.carrier.publish([orderMessage(order, paid)]);
  await world.mailbox().waitFor(to(order.customer?.email));
}

describe('a purchase', () => {
  test('brings two mails, each as HTML and as text, in the trace of the click', async () => {
    const order = anOrder({ quantity: 2 });
    const address = order.customer?.email ?? '';
    world.known.orders.set(order.orderId, order);
    world.known.licences.set(order.orderId, licencesOf(order, ['QUILL-AAAA-1111', 'QUILL-BBBB-2222']));
    const click = traceparent();
    await world.carrier.publish([orderMessage(order, paid, click), orderMessage(order, delivered, click)]);

    const confirmation = await world
      .mailbox()
      .waitFor((mail) => to(address)(mail) && mail.subject === `Payment received for order ${order.orderName}`);
    expect(confirmation.messageId).toBe(`<payment_confirmed.${order.orderId}@tills.example>`);
    expect(confirmation.from).toMatchObject({ name: 'Quill & Söhne', address: 'shop@tills.example' });
    expect(confirmation.replyTo?.[0]?.address).toBe('help@quill.example');
    expect(confirmation.text).toContain('Quill Editor (Quantity 2): €200.00');
    expect(confirmation.text).toContain('Visa •••• 4242');
    expect(confirmation.html).toContain('€200.00');
    expect(confirmation.html).toContain(order.detailUrl);
    expect(confirmation.text).toContain(order.detailUrl);
    expect(confirmation.headers.find((header) => header.key === 'auto-submitted')?.value).toBe('auto-generated');

    const licence = await world
      .mailbox()
      .waitFor((mail) => to(address)(mail) && mail.subject === 'Your licence for Quill Editor');
    expect(licence.messageId).toBe(`<licence.${order.orderId}.1@tills.example>`);
    expect(licence.text).toContain('\nQUILL-AAAA-1111\nQUILL-BBBB-2222\n');
    expect(licence.html).toContain('QUILL-AAAA-1111');
    expect(licence.html).toContain(order.detailUrl);
    expect([confirmation.html, licence.html].join()).not.toContain('{{');
    // A mail fetches nothing: who reads it is nobody's business.
    expect([confirmation.html, licence.html].join()).not.toMatch(/@import|<link|\ssrc=|url\(/);

    const spans = await eventually(() => {
      const sends = receiver.spans(traceIdOf(click)).filter((span) => span.name === 'send mail');
      return sends.length === 2 && sends;
    });
    expect(spans[0]).toMatchObject({ kind: 'client', parentSpanId: click.split('-')[2] });
    const { entries, awaited } = await eventually(async () => {
      const timeline = await world.running
        .client(TimelineApiService)
        .readTimeline({ merchantId: order.merchantId, orderId: order.orderId });
      return timeline.awaited.length === 0 && timeline;
    });
    expect(entries.map((entry) => entry.type).toSorted()).toEqual([
      'mail_queued',
      'mail_queued',
      'mail_sent',
      'mail_sent',
    ]);
    expect(entries.every((entry) => entry.traceId === traceIdOf(click))).toBe(true);
    expect(awaited).toEqual([]);
    expect(JSON.stringify(entries)).not.toContain('@');
  });

  test('that is said twice brings no second mail', async () => {
    const order = anOrder();
    world.known.orders.set(order.orderId, order);
    const message = orderMessage(order, paid);
    // The same message again, and the same news under another id.
    await world.carrier.publish([message, message, orderMessage(order, paid)]);
    await world.mailbox().waitFor(to(order.customer?.email));
    await world.carrier.publish([message]);
    await marker();
    expect(mailsTo(order.customer?.email)).toHaveLength(1);
  });

  test('of a product without licence mail brings the confirmation only, and nothing is awaited', async () => {
    const order = anOrder({ sendMail: false });
    world.known.orders.set(order.orderId, order);
    await world.carrier.publish([orderMessage(order, paid), orderMessage(order, delivered)]);
    await world.mailbox().waitFor(to(order.customer?.email));
    const timeline = await eventually(async () => {
      const answer = await world.running
        .client(TimelineApiService)
        .readTimeline({ merchantId: order.merchantId, orderId: order.orderId });
      return answer.awaited.length === 0 && answer.entries.length === 2 && answer;
    });
    expect(timeline.entries.map((entry) => entry.type)).toEqual(['mail_queued', 'mail_sent']);
    expect(mailsTo(order.customer?.email)).toHaveLength(1);
  });

  test('in German speaks German, with German sums and the time of the shop', async () => {
    const order = anOrder({ locale: 'de-DE', firstName: 'Jürgen' });
    world.known.orders.set(order.orderId, order);
    world.known.licences.set(order.orderId, licencesOf(order, ['QUILL-DE']));
    await world.carrier.publish([orderMessage(order, paid), orderMessage(order, delivered)]);
    const mails = await eventually(() => mailsTo(order.customer?.email).length === 2 && mailsTo(order.customer?.email));
    const confirmation = mails.find((mail) => mail.subject?.startsWith('Zahlung erhalten'));
    expect(confirmation?.text).toContain('Guten Tag Jürgen,');
    expect(confirmation?.text?.replaceAll('\u00a0', ' ')).toContain('Bezahlt: 100,00 €');
    expect(confirmation?.text).toContain('21. November 2026 um 11:30 MEZ');
    expect(confirmation?.html).toContain('lang="de"');
    expect(mails.some((mail) => mail.subject === 'Ihre Lizenz für Quill Editor')).toBe(true);
  });

  test('with names that are an attack stays one harmless mail', async () => {
    const order = anOrder({
      firstName: 'Eve\r\nBcc: everyone@victim.example\r\n\r\n<script>alert(1)</script>',
      itemName: 'أداة\u202e الكتابة 🖋️ "Quill"\r\nX-Evil: 1 <b>',
    });
    world.known.orders.set(order.orderId, order);
    world.known.licences.set(order.orderId, licencesOf(order, ['<i>CODE&1</i>']));
    await world.carrier.publish([orderMessage(order, paid), orderMessage(order, delivered)]);
    const mails = await eventually(() => mailsTo(order.customer?.email).length === 2 && mailsTo(order.customer?.email));
    for (const mail of mails) {
      expect(mail.envelopeTo).toEqual([order.customer?.email]);
      expect(mail.bcc ?? []).toEqual([]);
      expect(mail.headers.some((header) => header.key === 'x-evil' || header.key === 'bcc')).toBe(false);
      expect(mail.html).not.toMatch(/<script|<b>|<i>CODE|\u202e/);
    }
    const licence = mails.find((mail) => mail.subject?.includes('🖋️'));
    expect(licence?.subject).toContain('أداة الكتابة 🖋️ "Quill" X-Evil: 1 <b>');
    expect(licence?.text).toContain('\n<i>CODE&1</i>\n');
    expect(licence?.html).toContain('&lt;i&gt;CODE&amp;1&lt;/i&gt;');
  });
});

describe('a pool that runs low', () => {
  test('is told to the merchant’s support address, once for each notice', async () => {
    const id = randomUUIDv7();
    world.known.merchants.set(
      id,
      messageOf(Merchant, {
        id,
        shopName: 'Quill',
        supportEmail: 'stock@quill.example',
        locale: 'de',
        livemode: true,
      }),
    );
    world.known.products.set('100001', messageOf(Product, { id: '100001', name: 'Quill Editor' }));
    const low = poolLowMessage(id, '100001', 3);
    await world.carrier.publish([low, low]);
    const mail = await world.mailbox().waitFor(to('stock@quill.example'));
    expect(mail.subject).toBe('Lizenzcodes gehen zur Neige: Quill Editor');
    expect(mail.text).toContain('Verbleibende Codes: 3');
    await world.carrier.publish([poolLowMessage(id, '100001', 0)]);
    await eventually(() => mailsTo('stock@quill.example').length === 2);
    await marker();
    expect(mailsTo('stock@quill.example')).toHaveLength(2);
  });

  test('of a merchant without a support address is nobody’s mail', async () => {
    const id = randomUUIDv7();
    world.known.merchants.set(id, messageOf(Merchant, { id, shopName: 'Silent' }));
    await world.carrier.publish([poolLowMessage(id, '100002', 3)]);
    await eventually(async () =>
      (await world.rows()).some((row) => row.reason === 'no_support_email' && row.state === 'not_wanted'),
    );
  });
});

describe('trouble', () => {
  test('a mail server that says “later” gets the mail again, and the timeline says what is awaited', async () => {
    const order = anOrder();
    world.known.orders.set(order.orderId, order);
    world.mailbox().refuse(true);
    await world.carrier.publish([orderMessage(order, paid)]);
    const timeline = await eventually(async () => {
      const answer = await world.running
        .client(TimelineApiService)
        .readTimeline({ merchantId: order.merchantId, orderId: order.orderId });
      return answer.awaited.some((each) => each.type === 'mail_server') && answer;
    });
    expect(timeline.entries.map((entry) => entry.type)).toEqual(['mail_queued']);
    world.mailbox().refuse(false);
    await world.mailbox().waitFor(to(order.customer?.email));
  });

  test('a mail server that is away delays mail, uses up no tries and loses nothing', async () => {
    const orders = Array.from({ length: 12 }, () => anOrder());
    for (const order of orders) world.known.orders.set(order.orderId, order);
    await world.mailbox().stop();
    await world.carrier.publish(orders.map((order) => orderMessage(order, paid)));
    await eventually(async () => (await world.rows()).some((row) => row.reason === 'mail_server_away'));
    expect((await world.rows()).filter((row) => row.state === 'pending').every((row) => row.tries === 0)).toBe(true);
    await world.reopenMailbox();
    await eventually(() => orders.every((order) => mailsTo(order.customer?.email).length === 1), 30_000);
  });

  test('services that do not answer delay mail too', async () => {
    const order = anOrder();
    world.known.orders.set(order.orderId, order);
    world.known.isAway = true;
    await world.carrier.publish([orderMessage(order, paid)]);
    await eventually(async () => (await world.rows()).some((row) => row.reason === 'contents_not_available'));
    world.known.isAway = false;
    await world.mailbox().waitFor(to(order.customer?.email), 30_000);
  });

  test('a mail whose content cannot be had does not hold up the others', async () => {
    const [bad, good] = [anOrder(), anOrder()];
    for (const order of [bad, good]) world.known.orders.set(order.orderId, order);
    world.known.broken.add(bad.orderId);
    await world.carrier.publish([orderMessage(bad, paid), orderMessage(good, paid)]);
    await world.mailbox().waitFor(to(good.customer?.email));
    expect(mailsTo(bad.customer?.email)).toHaveLength(0);
    world.known.broken.clear();
    await world.mailbox().waitFor(to(bad.customer?.email));
  });

  test('an address that no server takes is given up at once', async () => {
    const order = anOrder({ email: 'nobody at all' });
    world.known.orders.set(order.orderId, order);
    await world.carrier.publish([orderMessage(order, paid)]);
    await eventually(async () => {
      const answer = await world.running
        .client(TimelineApiService)
        .readTimeline({ merchantId: order.merchantId, orderId: order.orderId });
      return answer.entries.some((entry) => entry.type === 'mail_failed') && answer.awaited.length === 0;
    });
  });

  test('a crash between the server’s yes and our mark sends the same message again, under the same Message-ID', async () => {
    const order = anOrder();
    world.known.orders.set(order.orderId, order);
    await world.carrier.publish([orderMessage(order, paid)]);
    await world.mailbox().waitFor(to(order.customer?.email));
    await eventually(async () => (await world.rows()).every((row) => row.state !== 'pending'));
    // What a process leaves behind that died there: the lease, which then runs out.
    await world.database.everyMerchant('the test plays a crash', (tx) =>
      sql`
        update job set state = 'pending', settled_at = null, due_at = now(), leased_until = now()
        where job_id = (select id from mail where order_id = ${order.orderId})`.execute(tx),
    );
    await eventually(() => mailsTo(order.customer?.email).length === 2);
    expect(new Set(mailsTo(order.customer?.email).map((mail) => mail.messageId)).size).toBe(1);
  });

  test('an event of a newer sender is passed over', async () => {
    const order = anOrder();
    await world.carrier.publish([orderMessage(order, undefined)]);
    await marker();
  });
});

describe('secrecy', () => {
  test('neither addresses nor codes are in the database or in the log', async () => {
    const { rows } = await world.database.pool.query<{ all: string }>(
      `select string_agg(mail::text, ' ') as all from notification.mail`,
    );
    // Without naming a merchant nothing is seen at all.
    expect(rows[0]?.all).toBeNull();
    const all = await world.database.everyMerchant('the test looks for secrets', (tx) =>
      Promise.all([tx.selectFrom('mail').selectAll().execute(), sql`select * from job`.execute(tx)]),
    );
    expect(all[0].length).toBeGreaterThan(10);
    const text = JSON.stringify([all, world.log.lines], (_, value: unknown) =>
      typeof value === 'bigint'
        ? String(value)
        : value instanceof Error
          ? `${value.stack} ${JSON.stringify(value)}`
          : value,
    );
    expect(text).not.toMatch(/customer\.example|quill\.example|QUILL-|CODE&1/);
  });

  test('a merchant does not see another’s mails, and the schema has no table that is open', async () => {
    const order = anOrder();
    world.known.orders.set(order.orderId, order);
    await world.carrier.publish([orderMessage(order, paid)]);
    await world.mailbox().waitFor(to(order.customer?.email));
    const foreign = await world.running
      .client(TimelineApiService)
      .readTimeline({ merchantId: randomUUIDv7(), orderId: order.orderId });
    expect(foreign).toEqual({ entries: [], awaited: [] });
    await expectTenantIsolation(world.database);
  });
});
