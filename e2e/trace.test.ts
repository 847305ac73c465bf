/** R119: one trace leads from the customer's click to the mail and the webhook, seen by somebody who receives OTLP over HTTP. */
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '@tillstream/testkit/otlp-receiver';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProduct, type Product } from './product.ts';
import { buy } from './purchase.ts';
import { Shop, type TimelineAnswer } from './shop.ts';
import { until } from './until.ts';
import { Receiver } from './webhooks.ts';

let product: Product;
let telemetry: OtlpReceiver;
const merchant = new Receiver();

beforeAll(async () => {
  telemetry = await startOtlpReceiver();
  await merchant.listen();
  product = await startProduct('standalone', { env: { OTLP_ENDPOINT: telemetry.endpoint } });
});

afterAll(async () => {
  await product.stop();
  await merchant.goDown();
  await telemetry.stop();
  product.forget();
});

test('one trace id leads from the click through gRPC, outbox, topic and inbox to the mail and the webhook', async () => {
  const shop = new Shop(product.gateway, product.api_key);
  await shop.addEndpoint(merchant.url);
  const made = await shop.createProduct('Traced');
  const [code = ''] = await shop.addCodes(made.id, 1);
  const sale = await buy(made.checkout_url);
  await until('three webhooks', async () => merchant.ofOrder(sale.orderId).length === 3);

  const timeline = await until('two mails', async () => {
    const now = await shop.must<TimelineAnswer>('GET', `/v1/orders/${sale.orderId}/timeline`);
    return now.entries.filter((entry) => entry.type === 'mail_sent').length === 2 ? now : undefined;
  });
  const traceOf = (type: string) => timeline.entries.find((entry) => entry.type === type)?.trace_id ?? `no ${type}`;
  // The click on "pay" starts the trace of the payment, and all that follows from it is in it.
  const traceId = traceOf('payment_created');
  for (const type of ['payment_booked', 'order_paid', 'order_item_delivered', 'mail_sent', 'webhook_delivered']) {
    expect(
      timeline.entries.filter((entry) => entry.type === type && entry.trace_id === traceId).length,
      type,
    ).toBeGreaterThan(0);
  }

  const seams: readonly (readonly [string, (span: ReceivedSpan) => boolean])[] = [
    ['the click', (span) => span.kind === 'server' && span.name.startsWith('POST /pay/')],
    ['gRPC from checkout to order', (span) => span.kind === 'server' && span.name.endsWith('OrderApi/BeginPayment')],
    ['gRPC from order to payment', (span) => span.kind === 'server' && span.name.endsWith('PaymentApi/CreatePayment')],
    ['the call to the provider', (span) => span.kind === 'client' && span.name === 'POST sandbox'],
    ['payment booked', (span) => span.name === 'perform payment recordBooked'],
    ['heard by the order service', (span) => span.name === 'perform order recordPayment'],
    ['heard by fulfillment', (span) => span.name.startsWith('perform delivery ')],
    ['the delivery heard by the order service', (span) => span.name === 'perform order recordItemDelivered'],
    ['the mail', (span) => span.kind === 'client' && span.name === 'send mail'],
    ['the webhook', (span) => span.kind === 'client' && span.name.startsWith('POST webhook')],
  ];
  for (const [what, matches] of seams) {
    await until(`${what} in the trace`, async () => telemetry.spans(traceId).some(matches), 20_000);
  }
  const spans = telemetry.spans(traceId);
  const ids = new Set(spans.map((span) => span.spanId));
  const roots = spans.filter((span) => span.parentSpanId === '');
  expect(roots.map((span) => span.name)).toEqual([expect.stringMatching(/^POST \/pay\//)]);
  const orphans = spans.filter((span) => span.parentSpanId !== '' && !ids.has(span.parentSpanId));
  expect(orphans.map((span) => span.name)).toEqual([]);
  // From the root to the webhook, parent by parent.
  const webhook = spans.find((span) => span.name.startsWith('POST webhook'));
  expect(webhook === undefined ? [] : telemetry.pathOf(webhook)[0]).toMatch(/^POST \/pay\//);

  const everything = JSON.stringify(telemetry.spans());
  for (const secret of [code, sale.token, 'marcel.laporte', product.api_key, '4242424242424242'])
    expect(everything).not.toContain(secret);
});
