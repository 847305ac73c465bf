/** The story in a real browser, with JavaScript and without; every page is checked with axe and photographed. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser, shoot } from './browser.ts';
import { startProduct, type Product } from './product.ts';
import { cards } from './purchase.ts';
import { Shop } from './shop.ts';
import { until } from './until.ts';

let product: Product;
let browser: Browser;
let shop: Shop;
let link: string;

beforeAll(async () => {
  product = await startProduct('standalone');
  browser = await openBrowser();
  shop = new Shop(product.gateway, product.api_key);
  const made = await shop.createProduct('Quill Editor', {
    family_name: 'Quill',
    description: 'A writing tool that stays out of the way. One licence, one computer, for ever.',
  });
  link = made.checkout_url;
  await shop.addCodes(made.id, 50);
});

afterAll(async () => {
  await browser.close();
  await product.stop();
  product.forget();
});

describe.each([true, false])('with JavaScript: %s', (javaScriptEnabled) => {
  const tag = javaScriptEnabled ? 'js' : 'nojs';
  let context: BrowserContext;
  let page: Page;
  const violations: string[] = [];

  beforeAll(async () => {
    context = await browser.newContext({ javaScriptEnabled, locale: 'en-GB', viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) violations.push(message.text());
    });
  });
  afterAll(() => context.close());

  const inspect = async (name: string) => {
    // axe runs inside the page and so needs its JavaScript.
    if (javaScriptEnabled) {
      const found = await new AxeBuilder({ page })
        .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
        .analyze();
      expect(
        found.violations.map(
          (each) => `${name}: ${each.id} ${each.nodes.map((node) => node.target.join(' ')).join(', ')}`,
        ),
      ).toEqual([]);
    }
    const overflow = await widthOverflow(page, javaScriptEnabled);
    expect(`${name}: ${overflow}`).toBe(`${name}: 0`);
    await shoot(page, `${tag}-${name}`);
  };

  test('what is missing is said next to each field, and nothing is lost', async () => {
    await page.goto(`${link}?quantity=2&currency=EUR`);
    await inspect('checkout');
    await page.locator('[autocomplete~=given-name]').fill('Zoë 🌸');
    // The browser's own check would stop the form before the server can be asked.
    await page.locator('button', { hasText: /obligation to pay/i }).click({ noWaitAfter: false });
    await page.waitForLoadState();
    const errors = page.locator('[role=alert], .error-summary').first();
    await errors.waitFor();
    expect(await page.locator('[aria-invalid=true]').count()).toBeGreaterThanOrEqual(4);
    expect(await page.locator('[autocomplete~=given-name]').inputValue()).toBe('Zoë 🌸');
    await inspect('checkout-errors');
  });

  test('the purchase goes through every page', async () => {
    await page.goto(`${link}?clear=Y&quantity=1`);
    await page.locator('[autocomplete~=email]').fill('zoe@example.com');
    await page.locator('[autocomplete~=given-name]').fill('Zoë');
    await page.locator('[autocomplete~=family-name]').fill('Müller');
    await page.locator('[autocomplete~=country]').selectOption('DE');
    for (const box of await page
      .locator('input[type=checkbox][required], input[type=checkbox][aria-required=true]')
      .all())
      await box.check();
    await page.locator('button', { hasText: /obligation to pay/i }).click();
    await page.waitForURL(/\/pay\//);
    await inspect('pay');

    await payOnProvidersPage(cards.declined);
    await page.waitForURL(/\/thanks\//);
    await until('the failure', async () => {
      if (!javaScriptEnabled) await page.reload();
      return /declined/i.test(await page.locator('main').innerText());
    });
    await inspect('thanks-declined');

    await page.goto(page.url().replace('/thanks/', '/pay/'));
    await inspect('pay-again');
    await payOnProvidersPage(cards.pays);
    await page.waitForURL(/\/thanks\//);
    const orderId = Number(/\/thanks\/(\d+)\//.exec(page.url())?.[1]);
    await until('delivery', async () => (await shop.order(orderId)).fulfilment_status === 'delivered');
    await page.goto(page.url());
    await inspect('thanks-paid');

    const order = await shop.order(orderId);
    await page.goto(order.detail_url);
    await page
      .getByText(order.items[0]?.licence_codes[0] ?? 'no code')
      .first()
      .waitFor();
    await inspect('order');
    await page.goBack();
    await page.goBack();
    await page.reload();
    expect((await shop.order(orderId)).payments.filter((payment) => payment.status === 'booked')).toHaveLength(1);
  });

  test('pages that say no look finished too', async () => {
    await page.goto(`${product.checkout}/order/status/1000001/${'0'.repeat(32)}`);
    await inspect('not-found');
    await page.goto(`${link}?currency=ZZZ`);
    await inspect('currency-refused');
  });

  test('no page broke the content security policy', () => {
    expect(violations).toEqual([]);
  });

  async function payOnProvidersPage(card: string): Promise<void> {
    await page
      .locator('main button[type=submit], main button:not([type])')
      .filter({ hasText: /pay|try again/i })
      .first()
      .click();
    await page.locator('[autocomplete~=cc-number]').waitFor();
    await inspect('provider');
    await page.locator('[autocomplete~=cc-number]').fill(card);
    await page.locator('[autocomplete~=cc-exp]').fill('12/34');
    await page.locator('[autocomplete~=cc-csc]').fill('123');
    await page.locator('button', { hasText: /pay/i }).first().click();
  }
});

/** How many pixels the page is wider than a window of 320 px; 0 when nobody has to scroll sideways. */
async function widthOverflow(page: Page, canAsk: boolean): Promise<number> {
  if (!canAsk) return 0;
  await page.setViewportSize({ width: 320, height: 800 });
  const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  await page.setViewportSize({ width: 1280, height: 900 });
  return Number(overflow);
}
