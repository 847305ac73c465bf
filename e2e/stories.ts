/** The story of a purchase, told the same way about both forms of the product. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { request } from 'undici';
import { expectWell } from './doctor.ts';
import { startProduct, type Form, type Product } from './product.ts';
import { buy, cards, customer, payByCard, placeOrder } from './purchase.ts';
import { Shop, type List, type TimelineAnswer } from './shop.ts';
import { until } from './until.ts';
import { button, consents, filled, visibleText, Visitor } from './visitor.ts';
import { Receiver, seedSignature, standardSignature } from './webhooks.ts';

interface Letter {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export function tellStories(form: Form): void {
  describe(`the ${form} form`, () => {
    let product: Product;
    let shop: Shop;
    const first = new Receiver();
    const second = new Receiver();
    let secrets: { first: { seed: string; standard: string }; second: { seed: string; standard: string } };
    let link: string;
    let productId: string;
    let codes: readonly string[];

    beforeAll(async () => {
      product = await startProduct(form);
      shop = new Shop(product.gateway, product.api_key);
      await first.listen();
      await second.listen();
      secrets = {
        first: (await shop.addEndpoint(first.url, { secrets: { seed: 'secret_key' } })).secrets,
        second: (await shop.addEndpoint(second.url)).secrets,
      };
      const made = await shop.createProduct('Demo');
      productId = made.id;
      link = made.checkout_url;
      codes = await shop.addCodes(productId, 1000);
    });

    afterAll(async () => {
      await product.stop();
      await first.goDown();
      await second.goDown();
      product.forget();
    });

    const mails = async (): Promise<readonly Letter[]> => {
      const response = await request(`${product.mail}/api/messages`);
      const letters: Letter[] = JSON.parse(await response.body.text());
      return letters;
    };

    test('a merchant who repeats a call with the same Idempotency-Key gets the same bytes and makes nothing new', async () => {
      const body = { name: 'Once', prices: [{ amount: 500, currency: 'EUR' }], delivery: { method: 'pool' } };
      const key = { 'idempotency-key': `make-once-${form}` };
      const made = await shop.call<{ id: string }>('POST', '/v1/products', body, key);
      const again = await shop.call<{ id: string }>('POST', '/v1/products', body, key);
      expect(made.status).toBe(201);
      expect(again.status).toBe(201);
      expect(again.text).toBe(made.text);
      expect(again.headers['idempotent-replayed']).toBe('true');
      const other = await shop.call<{ code: string }>('POST', '/v1/products', { ...body, name: 'Twice' }, key);
      expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
      const list = await shop.must<List<{ name: string }>>('GET', '/v1/products?limit=100');
      expect(list.data.filter((each) => each.name === 'Once')).toHaveLength(1);
    });

    test('a customer buys by card, gets two mails and a licence; the merchant hears three webhooks in order', async () => {
      const visitor = new Visitor();
      const sale = await buy(`${link}?quantity=2&currency=EUR`, cards.pays, visitor);
      expect(sale.page.url).toContain(`/thanks/${sale.orderId}/${sale.token}`);

      const order = await until('the order to be delivered', async () => {
        const now = await shop.order(sale.orderId);
        return now.fulfilment_status === 'delivered' ? now : undefined;
      });
      expect(order.status).toBe('paid');
      expect(order.name).toBe(`A${String(sale.orderId).padStart(10, '0')}`);
      expect((await shop.order(order.name)).id).toBe(sale.orderId);
      const issued = order.items[0]?.licence_codes ?? [];
      expect(issued).toHaveLength(2);
      for (const code of issued) expect(codes).toContain(code);

      const page = await visitor.open(order.detail_url);
      for (const code of issued) expect(visibleText(page)).toContain(code);

      const letters = await until('both mails', async () => {
        const mine = (await mails()).filter(
          (letter) =>
            `${letter.text}${letter.subject}`.includes(order.name) || letter.text.includes(String(sale.orderId)),
        );
        return mine.length >= 2 ? mine : undefined;
      });
      expect(letters).toHaveLength(2);
      expect(
        letters.every((letter) => letter.html.length > 500 && letter.to.includes('marcel.laporte@example.com')),
      ).toBe(true);
      const licence = letters.find((letter) => letter.text.includes(issued[0] ?? 'no code'));
      for (const code of issued) {
        expect(licence?.text).toContain(code);
        expect(licence?.html).toContain(code);
      }

      await until(
        'three webhooks at both endpoints',
        async () => first.ofOrder(sale.orderId).length >= 3 && second.ofOrder(sale.orderId).length >= 3,
      );
      for (const [receiver, secret] of [
        [first, secrets.first],
        [second, secrets.second],
      ] as const) {
        const heard = receiver.ofOrder(sale.orderId);
        expect(heard.map((each) => each.body.event)).toEqual([
          'order.created',
          'order.payment.succeeded',
          'product.delivered',
        ]);
        for (const each of heard) {
          expect(each.seed).toBe(seedSignature(secret.seed, each.body));
          expect(each.standard.split(' ')).toContain(standardSignature(secret.standard, each));
        }
        expect(heard.map((each) => each.body.status)).toEqual(['not paid', 'paid', 'paid']);
        expect(heard[0]?.body.pay_date).toBe('');
        expect(heard[0]?.body.payment.card_last_4).toBeNull();
        expect(heard[1]?.body.payment.card_last_4).toBe('4242');
        expect(heard[1]?.body.product.activation_codes).toBeUndefined();
        expect(heard[2]?.body.product.activation_codes?.toSorted()).toEqual(issued.toSorted());
        expect(heard[2]?.body.product).toMatchObject({ id: productId, amount: '200.00', quantity: 2 });
      }
      expect(secrets.first.seed).toBe('secret_key');
    });

    test('what a checkout link attaches goes out unchanged, and finds the order', async () => {
      const visitor = new Visitor();
      const externalId = `TEST 12025/${form}`;
      const attached = `external_id=${encodeURIComponent(externalId)}&ap_referer2=test&ap_referer3=a%26b%20%C3%BC`;
      const refused = await visitor.open(`${link}?external_id=${'x'.repeat(256)}&ap_referer2=test`);
      expect(refused.status).toBe(422);
      expect(visibleText(refused)).toMatch(/link cannot be used/i);
      const sale = await placeOrder(visitor, `${link}?${attached}`);
      const additional_data = [
        { name: 'referer2', value: 'test' },
        { name: 'referer3', value: 'a&b ü' },
      ];
      const found = await shop.must<List<{ id: number }>>(
        'GET',
        `/v1/orders?external_id=${encodeURIComponent(externalId)}`,
      );
      expect(found.data).toMatchObject([
        { id: sale.orderId, external_id: externalId, additional_data, total: { amount: 10_000 } },
      ]);
      expect(await shop.must('GET', `/v1/orders/${sale.orderId}`)).toMatchObject({
        external_id: externalId,
        additional_data,
      });
      await until('the webhook of the order', async () => first.ofOrder(sale.orderId).length > 0);
      expect(first.ofOrder(sale.orderId)[0]?.body).toMatchObject({
        event: 'order.created',
        external_id: externalId,
        additional_data,
      });
      const timeline = await shop.must<TimelineAnswer>('GET', `/v1/orders/${sale.orderId}/timeline`);
      expect(JSON.stringify(timeline)).toContain(externalId);
    });

    test('a declined card leaves the order not paid and says so; the second try on the same order pays', async () => {
      const visitor = new Visitor();
      const sale = await placeOrder(visitor, link);
      let page = await payByCard(visitor, sale.page, cards.declined);
      page = await until('the failure to be shown', async () => {
        const now = await visitor.open(page.url);
        return /declined/i.test(visibleText(now)) ? now : undefined;
      });
      expect(visibleText(page)).toMatch(/(no|not).{0,40}(money|charged)/i);
      expect((await shop.order(sale.orderId)).status).toBe('not paid');
      const again = await visitor.open(`${product.checkout}/pay/${sale.orderId}/${sale.token}`);
      await payByCard(visitor, again, cards.pays);
      await until(
        'the order to be paid',
        async () => (await shop.order(sale.orderId)).fulfilment_status === 'delivered',
      );
      await until('four webhooks', async () => first.ofOrder(sale.orderId).length >= 4);
      const heard = first.ofOrder(sale.orderId);
      expect(heard.map((each) => each.body.event)).toEqual([
        'order.created',
        'order.payment.failed',
        'order.payment.succeeded',
        'product.delivered',
      ]);
      expect(heard[1]?.body.payment.payment_error_code).toBeTruthy();
      expect(heard[2]?.body.payment.payment_error_code).toBeUndefined();
      const order = await shop.order(sale.orderId);
      expect(order.payments.map((payment) => payment.status).toSorted()).toEqual(['booked', 'failed']);
    });

    test('an endpoint that was down gets everything afterwards, in order, unchanged; the other never waits', async () => {
      await first.goDown();
      const sales = [await buy(link), await buy(link), await buy(link)];
      for (const sale of sales) await until('the open endpoint', async () => second.ofOrder(sale.orderId).length === 3);
      await first.listen();
      for (const sale of sales) {
        await until('the endpoint that was down', async () => first.ofOrder(sale.orderId).length >= 3, 90_000);
        const late = first.ofOrder(sale.orderId);
        const prompt = second.ofOrder(sale.orderId);
        expect(late.map((each) => each.raw)).toEqual(prompt.map((each) => each.raw));
        expect(late.map((each) => each.id)).toEqual(prompt.map((each) => each.id));
      }
    });

    test('the timeline tells the whole story across all services, and what is awaited', async () => {
      const sale = await buy(link);
      await until('delivery', async () => second.ofOrder(sale.orderId).length >= 3);
      const timeline = await until('the mails on the timeline', async () => {
        const now = await shop.must<TimelineAnswer>('GET', `/v1/orders/${sale.orderId}/timeline`);
        return now.entries.filter((entry) => entry.source === 'notification').length >= 2 ? now : undefined;
      });
      const sources = new Set(timeline.entries.map((entry) => entry.source));
      expect([...sources].toSorted()).toEqual([
        'fulfillment',
        'notification',
        'order',
        'payment',
        'webhook-dispatcher',
      ]);
      const times = timeline.entries.map((entry) => Date.parse(entry.at));
      expect(times).toEqual(times.toSorted((a, b) => a - b));

      const unpaid = await placeOrder(new Visitor(), link);
      const open = await shop.must<TimelineAnswer>(
        'GET',
        `/v1/orders/A${String(unpaid.orderId).padStart(10, '0')}/timeline`,
      );
      expect(open.awaited.map((each) => each.source)).toContain('order');
    });

    test('double clicks, the back button, reloads and two tabs make one order, one charge and one licence', async () => {
      const visitor = new Visitor();
      const checkout = await visitor.open(link);
      const form1 = {
        ...filled(checkout, {
          email: 'two.tabs@example.com',
          'given-name': 'Anna',
          'family-name': 'Nováková',
          country: 'CZ',
        }),
        ...consents(checkout),
      };
      const order = button(checkout, /obligation to pay/i);
      const pressed = await Promise.all([
        visitor.press(checkout, order, form1),
        visitor.press(checkout, order, form1),
        visitor.press(checkout, order, form1),
      ]);
      const urls = new Set(pressed.map((page) => page.url));
      expect(urls.size).toBe(1);
      const [pay] = pressed;
      if (pay === undefined) throw new Error('no payment page');
      const tabs = await Promise.all([
        visitor.press(pay, button(pay, /^pay/i)),
        visitor.press(pay, button(pay, /^pay/i)),
      ]);
      expect(new Set(tabs.map((tab) => tab.url)).size).toBe(1);
      const orderId = Number(/\/pay\/(\d+)\//.exec(pay.url)?.[1]);
      const paid = await Promise.all(
        [payByCard(visitor, pay, cards.pays), payByCard(visitor, pay, cards.pays)].map((each) =>
          each.catch(() => undefined),
        ),
      );
      expect(paid.some((page) => page !== undefined)).toBe(true);
      const done = await until('delivery', async () => {
        const now = await shop.order(orderId);
        return now.fulfilment_status === 'delivered' ? now : undefined;
      });
      expect(done.items[0]?.licence_codes).toHaveLength(1);
      expect(done.payments.filter((payment) => payment.status === 'booked')).toHaveLength(1);
      await visitor.press(checkout, order, form1);
      const orders = await shop.must<List<{ id: number }>>('GET', '/v1/orders?customer_email=two.tabs@example.com');
      expect(orders.data.map((each) => each.id)).toEqual([orderId]);
    });

    test('a card that gets no answer is neither paid nor failed until the provider says which', async () => {
      const visitor = new Visitor();
      const sale = await buy(link, cards.silentPaid, visitor);
      const unpaidSale = await buy(link, cards.silentUnpaid);
      await until(
        'the silent payment to be found',
        async () => (await shop.order(sale.orderId)).status === 'paid',
        90_000,
      );
      await until(
        'the other to be found not paid',
        async () => (await shop.order(unpaidSale.orderId)).payments[0]?.status === 'failed',
        90_000,
      );
      expect((await shop.order(unpaidSale.orderId)).status).toBe('not paid');
    });

    test('a merchant sends the licences once more, while the order is paid', async () => {
      const visitor = new Visitor();
      const sale = await placeOrder(visitor, link, { ...customer, email: `again-${form}@example.com` });
      const early = await shop.call<{ code: string }>('POST', `/v1/orders/${sale.orderId}/resend_licences`);
      expect([early.status, early.body.code]).toEqual([409, 'order_not_paid']);
      await payByCard(visitor, sale.page, cards.pays);
      const mine = async () => (await mails()).filter((letter) => letter.to.includes(`again-${form}@example.com`));
      await until('both mails', async () => (await mine()).length === 2);
      await shop.must('POST', `/v1/orders/${sale.orderId}/resend_licences`);
      await until('the third', async () => (await mine()).length === 3);
      const [code = ''] = (await shop.order(sale.orderId)).items[0]?.licence_codes ?? [];
      expect((await mine()).filter((letter) => letter.text.includes(code))).toHaveLength(2);
    });

    test('strong authentication is a step of its own', async () => {
      const visitor = new Visitor();
      const sale = await placeOrder(visitor, link);
      const step = await payByCard(visitor, sale.page, cards.strong);
      await visitor.press(step, button(step, /confirm|approve|authenticate/i));
      await until('the order to be paid', async () => (await shop.order(sale.orderId)).status === 'paid');
    });

    test('a pool that is empty leaves the order paid and not delivered; new codes deliver it', async () => {
      const made = await shop.createProduct('Scarce');
      const sale = await buy(made.checkout_url);
      await until('the order to be paid', async () => (await shop.order(sale.orderId)).status === 'paid');
      const timeline = await until('the wait to be told', async () => {
        const now = await shop.must<TimelineAnswer>('GET', `/v1/orders/${sale.orderId}/timeline`);
        return now.awaited.some((each) => each.source === 'fulfillment') ? now : undefined;
      });
      expect(timeline.entries.some((entry) => entry.source === 'fulfillment')).toBe(true);
      expect((await shop.order(sale.orderId)).fulfilment_status).toBe('not delivered');
      await shop.addCodes(made.id, 3);
      await until(
        'delivery after the refill',
        async () => (await shop.order(sale.orderId)).fulfilment_status === 'delivered',
      );
    });

    test('after all that the doctor finds the installation well', async () => {
      await expectWell(product);
    });
  });
}
