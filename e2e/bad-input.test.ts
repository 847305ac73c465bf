/** Bad input gets a clear answer and changes nothing: the list of bad days, at the public surfaces of the whole product. */
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProduct, type Product } from './product.ts';
import { buy, customer, placeOrder } from './purchase.ts';
import { Shop, type List } from './shop.ts';
import { button, consents, filled, visibleText, Visitor } from './visitor.ts';

interface Problem {
  readonly code: string;
  readonly status: number;
  readonly param?: string;
  readonly request_id: string;
}

let product: Product;
let shop: Shop;
let link: string;
let productId: string;

beforeAll(async () => {
  product = await startProduct('standalone');
  shop = new Shop(product.gateway, product.api_key);
  const made = await shop.createProduct('Demo', { metadata: { shelf: '3' } });
  [link, productId] = [made.checkout_url, made.id];
  await shop.addCodes(productId, 20);
});

afterAll(async () => {
  await product.stop();
  product.forget();
});

const countOrders = async () => (await shop.must<List<unknown>>('GET', '/v1/orders?limit=100')).data.length;

async function expectProblem(
  status: number,
  code: string,
  ask: Promise<{ status: number; body: Problem; headers: Record<string, unknown> }>,
): Promise<Problem> {
  const answer = await ask;
  expect([answer.status, answer.body?.code]).toEqual([status, code]);
  expect(String(answer.headers['content-type'])).toContain('application/problem+json');
  expect(answer.body.request_id).toBeTruthy();
  return answer.body;
}

describe('at the API', () => {
  const goods = { name: 'X', prices: [{ amount: 100, currency: 'EUR' }], delivery: { method: 'pool' } };

  test('keys: none, wrong, mistyped, in the query, revoked', async () => {
    const withKey = (key: string) => new Shop(product.gateway, key).call<Problem>('GET', '/v1/products');
    await expectProblem(401, 'invalid_api_key', withKey('nonsense'));
    await expectProblem(401, 'invalid_api_key', withKey(`${product.api_key.slice(0, -2)}xx`));
    await expectProblem(401, 'invalid_api_key', withKey(product.api_key.replace('till_test_', 'till_live_')));
    const bare = await request(`${product.gateway}/v1/products?api_key=${product.api_key}`);
    expect(bare.statusCode).toBe(401);
    await bare.body.dump();
    const made = await shop.must<{ id: string; secret: string }>('POST', '/v1/api_keys', {
      name: 'to revoke',
      scopes: ['read'],
    });
    const reader = new Shop(product.gateway, made.secret);
    expect((await reader.call('GET', '/v1/products')).status).toBe(200);
    await expectProblem(403, 'missing_scope', reader.call('POST', '/v1/products', goods));
    await shop.must('DELETE', `/v1/api_keys/${made.id}`);
    await expectProblem(401, 'revoked_api_key', reader.call('GET', '/v1/products'));
  });

  test('bodies: malformed, wrong types, unknown fields, too large, hostile', async () => {
    await expectProblem(400, 'invalid_request', shop.call('POST', '/v1/products', '{"name": "X", '));
    for (const body of [
      { ...goods, name: 7 },
      { ...goods, prices: [{ amount: '100', currency: 'EUR' }] },
      { ...goods, prices: [{ amount: 100.5, currency: 'EUR' }] },
      { ...goods, prices: [{ amount: -1, currency: 'EUR' }] },
      { ...goods, prices: [{ amount: Number.MAX_SAFE_INTEGER + 3, currency: 'EUR' }] },
      { ...goods, prices: [{ amount: 100, currency: 'eur' }] },
      { ...goods, prices: [{ amount: 100, currency: 'XQX' }] },
      { ...goods, paid: true },
      { ...goods, name: 'n'.repeat(10_000) },
      { ...goods, metadata: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, 'v'])) },
    ]) {
      const answer = await shop.call<Problem>('POST', '/v1/products', body);
      expect([400, 422], JSON.stringify(body).slice(0, 120)).toContain(answer.status);
      expect(answer.body.param, JSON.stringify(body).slice(0, 120)).toBeTruthy();
    }
    await expectProblem(
      413,
      'payload_too_large',
      shop.call('POST', '/v1/products', { ...goods, name: 'x'.repeat(10_000_000) }),
    );
    await expectProblem(
      422,
      'card_number_refused',
      shop.call('POST', '/v1/products', { ...goods, metadata: { note: '4242 4242 4242 4242' } }),
    );
  });

  test('foreign, unknown and impossible ids are not found', async () => {
    await expectProblem(404, 'product_not_found', shop.call('GET', '/v1/products/999999999'));
    await expectProblem(404, 'order_not_found', shop.call('GET', '/v1/orders/999999999'));
    await expectProblem(404, 'order_not_found', shop.call('GET', '/v1/orders/A9999999999'));
    await expectProblem(404, 'payment_not_found', shop.call('GET', '/v1/payments/pay_00000000000000000000000000'));
    await expectProblem(404, 'route_not_found', shop.call('GET', '/v1/nothing'));
  });

  test('licence codes: repetitions are counted, none is doubled', async () => {
    const made = await shop.createProduct('Counted');
    const path = `/v1/products/${made.id}/licence_codes`;
    expect(await shop.must('POST', path, { codes: ['A', 'B', 'A'] })).toMatchObject({ added: 2, duplicates: 1 });
    expect(await shop.must('POST', path, { codes: ['B', 'C'] })).toMatchObject({ added: 1, duplicates: 1 });
    expect(await shop.must('GET', `${path}/summary`)).toMatchObject({ available: 3, issued: 0 });
    expect((await shop.call('POST', path, { codes: [] })).status).toBeGreaterThanOrEqual(400);
    expect((await shop.call('POST', path, { codes: [''] })).status).toBeGreaterThanOrEqual(400);
  });

  test('webhook addresses inside the network are refused', async () => {
    for (const url of [
      'http://169.254.169.254/latest/meta-data',
      'http://10.0.0.1/',
      'http://192.168.1.1:8080/',
      'http://[::ffff:10.0.0.1]/',
      'http://[fd00:ec2::254]/',
      'http://0x0a000001/',
      'http://user:pass@example.com/',
      'ftp://example.com/',
      'file:///etc/passwd',
      'not a url',
    ]) {
      const answer = await shop.call<Problem>('POST', '/v1/webhook_endpoints', { url });
      expect([400, 422], `${url} ${answer.text}`).toContain(answer.status);
    }
    expect((await shop.must<List<unknown>>('GET', '/v1/webhook_endpoints')).data).toHaveLength(0);
  });

  test('a forged provider callback is refused', async () => {
    const forged = await request(`${product.gateway}/provider_callbacks/sandbox`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'sandbox-signature': 't=1,v1=00' },
      body: JSON.stringify({ id: 'evt_1', type: 'payment.succeeded' }),
    });
    expect(forged.statusCode).toBe(401);
    await forged.body.dump();
    const unknown = await request(`${product.gateway}/provider_callbacks/nobody`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect(unknown.statusCode).toBe(404);
    await unknown.body.dump();
  });
});

describe('at the pages', () => {
  test('links with a bad product, quantity or currency say why and leave the cart alone', async () => {
    const visitor = new Visitor();
    const cart = await visitor.open(link);
    for (const query of [
      'quantity=0',
      'quantity=0x',
      'quantity=1e9',
      'quantity=-1',
      'quantity=1000000000',
      'currency=ZZZ',
      'currency=PLN',
    ]) {
      const page = await visitor.open(`${link}?${query}`);
      expect(page.status, query).toBeGreaterThanOrEqual(400);
      expect(page.status, query).toBeLessThan(500);
    }
    expect((await visitor.open(`${product.checkout}/basket/add/999999999`)).status).toBe(404);
    expect((await visitor.open(`${product.checkout}/basket/add/abc`)).status).toBe(404);
    const after = await visitor.open(cart.url);
    expect(visibleText(after)).toContain('€100.00');
  });

  test('an archived or unpublished product is not for sale', async () => {
    const made = await shop.createProduct('Gone');
    await shop.must('PATCH', `/v1/products/${made.id}`, { published: false });
    const archived = await shop.createProduct('Put away');
    await shop.must('PATCH', `/v1/products/${archived.id}`, { archived: true });
    for (const link of [made.checkout_url, archived.checkout_url]) {
      const page = await new Visitor().open(link);
      expect(page.status).toBeGreaterThanOrEqual(404);
      expect(page.status).toBeLessThan(500);
    }
  });

  test('each missing field and consent is named, and no order is made', async () => {
    const visitor = new Visitor();
    const page = await visitor.open(link);
    const before = await countOrders();
    const order = button(page, /obligation to pay/i);
    for (const values of [
      {},
      { ...filled(page, customer) },
      { ...consents(page) },
      { ...consents(page), ...filled(page, { ...customer, email: 'not an address' }) },
      { ...consents(page), ...filled(page, { ...customer, 'given-name': 'x'.repeat(10_000) }) },
      { ...consents(page), ...filled(page, { ...customer, 'family-name': '4242424242424242' }) },
    ]) {
      const answer = await visitor.press(page, order, values);
      expect(answer.url).toContain('/checkout/');
      expect(answer.document.querySelectorAll('[aria-invalid=true]').length).toBeGreaterThan(0);
    }
    expect(await countOrders()).toBe(before);
  });

  test('names in any script arrive as they were typed', async () => {
    const sale = await placeOrder(new Visitor(), link, {
      ...customer,
      'given-name': 'محمد 🌸',
      'family-name': 'О’Коннор <b>&',
    });
    const order = await shop.must<{ customer: Record<string, string> }>('GET', `/v1/orders/${sale.orderId}`);
    expect(order.customer).toMatchObject({ first_name: 'محمد 🌸', last_name: 'О’Коннор <b>&' });
  });

  test('a wrong token finds nothing, on every page of an order', async () => {
    const sale = await buy(link);
    for (const path of ['pay', 'thanks', 'order/status']) {
      for (const token of [
        '0'.repeat(32),
        sale.token.slice(0, 31),
        `${sale.token}0`,
        '..%2f',
        sale.token.toUpperCase(),
      ]) {
        const page = await new Visitor().open(`${product.checkout}/${path}/${sale.orderId}/${token}`);
        expect(page.status === 404 || token === sale.token, `${path} ${token} ${page.status}`).toBe(true);
      }
    }
  });

  test('a forged query on the thank-you page shows nothing new', async () => {
    const visitor = new Visitor();
    const sale = await placeOrder(visitor, link);
    const page = await visitor.open(
      `${product.checkout}/thanks/${sale.orderId}/${sale.token}?status=paid&paid=1&payment_status=booked`,
    );
    expect(visibleText(page)).not.toMatch(/thank you for your (order|purchase)|is paid/i);
    expect(await shop.order(sale.orderId)).toMatchObject({ status: 'not paid' });
  });
});
