/**
 * For people who change the pages: walks through them in a real browser over real HTTP, with a script and without, and
 * says what axe, the browser's console or a keyboard finds. `node apps/checkout/test/browse.ts`
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import chromiumPackage from '@sparticuz/chromium';
import { assets } from '../src/assets/assets.ts';
import { Refused } from '@tillstream/rpc/refusals';
import { chromium, type Page } from 'playwright-core';
import { textOf } from '../src/pages/html.ts';
import { gallery } from './fixtures.ts';
import { cart, cartId, orderId, OrderStandIn, serve, token } from './stand-in.ts';
import { known, monthly, renewingCart, subscription } from './wire.ts';

// axe belongs to the end-to-end tests, which are a package of their own.
const fromE2e = createRequire(new URL('../../../e2e/package.json', import.meta.url));
const axeSource = readFileSync(createRequire(fromE2e.resolve('@axe-core/playwright')).resolve('axe-core'), 'utf8');
const served = await serve({ PAYMENT_PAGE_ORIGINS: [] });
const system = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const browser = await chromium.launch({
  executablePath: system ?? (await chromiumPackage.executablePath()),
  args:
    system === undefined
      ? chromiumPackage.args.filter((flag) => !flag.startsWith('--single-process'))
      : ['--no-sandbox'],
});
let complaints = 0;
const complain = (text: string) => {
  complaints += 1;
  console.log(text);
};

async function inspect(page: Page, name: string): Promise<void> {
  await page.evaluate(axeSource);
  const found: { violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] } =
    await page.evaluate(
      "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
    );
  for (const each of found.violations) {
    for (const node of each.nodes) complain(`${name}: ${each.id} ${node.target.join(' ')} ${node.failureSummary}`);
  }
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 800 });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    if (Number(overflow) > 0) complain(`${name}: ${String(overflow)} px too wide at ${width}`);
  }
}

const refusal = () =>
  new Refused('invalid_field', {
    fields: ['customer.email', 'customer.last_name', 'customer.country', 'terms_accepted', 'privacy_accepted'].map(
      (param) => ({ param, code: 'required' as const, detail: '' }),
    ),
  });
const focused = (page: Page) => page.evaluate('document.activeElement?.id ?? ""');

/** From the box on the checkout page to cancel and restore, with the keyboard alone. */
async function renew(page: Page, tag: string, look: (name: string) => Promise<void>): Promise<void> {
  const shown = async (name: string) => page.locator(`.outcome .${name}`).isVisible();
  served.order.cart = renewingCart(monthly, { renewalConsentDefault: true });
  served.order.renews(monthly);
  await page.goto(`${served.url}/checkout/${cartId}`);
  await look('checkout renews');
  if (!(await shown('if-renews')) || (await shown('if-once'))) complain(`${tag}: a subscription is not announced`);
  await page.locator('#auto_renew').press('Space');
  if ((await shown('if-renews')) || !(await shown('if-once'))) complain(`${tag}: without the tick it still renews`);
  await page.locator('#auto_renew').press('Space');
  await page.locator('#payment_method').press('ArrowDown');
  if ((await shown('if-renews')) || !(await shown('if-once'))) complain(`${tag}: by bank transfer it still renews`);
  await page.locator('#payment_method').press('ArrowUp');
  await page.locator('#place').press('Enter');
  await page.waitForURL(/\/pay\//);
  await look('pay renews');
  served.order.renews(monthly, known(), { status: 'paid', fulfilmentStatus: 'delivered' });
  served.order.subscriptions = [subscription];
  await page.goto(`${served.url}/thanks/${orderId}/${token}`);
  await look('thanks renews');
  await page.locator('a[href$="#autorenewal"]').press('Enter');
  await page.waitForURL(/#autorenewal$/);
  await look('order active');
  await page.locator('#autorenewal a.button').press('Enter');
  await page.waitForURL(/\/cancel\//);
  await look('cancel');
  await page.locator('button[value=cancel]').press('Enter');
  await page.locator('#autorenewal [role=status]').waitFor();
  const answer = await page.locator('#autorenewal [role=status]').boundingBox();
  if (answer === null || answer.y < 0 || answer.y > 700) complain(`${tag}: the answer to the cancel is out of sight`);
  await look('order cancelled');
  await page.locator('button[value=restore]').press('Enter');
  await page.locator('.subscription .badge.good').waitFor();
  served.order.refuse.set('changeSubscription', new Refused('subscription_ended'));
  await page.locator('#autorenewal a.button').press('Enter');
  await page.locator('button[value=cancel]').press('Enter');
  await page.locator('.notice.problem').waitFor();
  await look('order refused');
}

/** Every page in every state, at the narrowest width and to axe. */
async function inspectGallery(language: string, colorScheme: 'light' | 'dark'): Promise<void> {
  const context = await browser.newContext({ colorScheme });
  const page = await context.newPage();
  const pages = gallery(language);
  await page.route('**/*', async (route) => {
    const path = new URL(route.request().url()).pathname;
    const asset = assets.find((each) => each.path === path);
    const found = pages[path.slice(1)];
    if (asset !== undefined) return route.fulfill({ body: asset.plain, contentType: asset.type });
    return route.fulfill({ body: found === undefined ? '' : textOf(found), contentType: 'text/html; charset=utf-8' });
  });
  for (const name of Object.keys(pages)) {
    await page.goto(`http://gallery.test/${name}`);
    await inspect(page, `${language} ${colorScheme} ${name}`);
  }
  await context.close();
  console.log(`${language} ${colorScheme}: every page`);
}

for (const colorScheme of ['light', 'dark'] as const) {
  await inspectGallery(colorScheme === 'light' ? 'de' : 'en', colorScheme);
  for (const javaScriptEnabled of [true, false]) {
    const tag = `${colorScheme} ${javaScriptEnabled ? 'with' : 'without'} script`;
    const context = await browser.newContext({ colorScheme, javaScriptEnabled, bypassCSP: false });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 4(04|09|22)/.test(message.text()))
        complain(`${tag}: console ${message.text()}`);
    });
    page.on('pageerror', (error) => complain(`${tag}: ${error.message}`));
    const look = async (name: string) => {
      // axe needs the page's own script engine, and the policy of our pages lets nobody in but the debugger.
      if (javaScriptEnabled) await inspect(page, `${tag} ${name}`);
      await page.setViewportSize({ width: 1280, height: 800 });
    };
    served.order.cart = cart;
    await page.goto(`${served.url}/checkout/${cartId}`);
    await look('checkout');
    await page.locator('#first_name').fill('Zoë');
    served.order.refuse.set('placeOrder', refusal());
    await page.locator('#first_name').press('Enter');
    await page.locator('#problems').waitFor();
    if (javaScriptEnabled && (await focused(page)) !== 'problems')
      complain(`${tag}: focus is on ${String(await focused(page))}`);
    if ((await page.locator('[aria-invalid=true]').count()) !== 5) complain(`${tag}: not five fields are marked`);
    if ((await page.locator('#first_name').inputValue()) !== 'Zoë') complain(`${tag}: an entry was lost`);
    await look('checkout with problems');
    await page.locator('#problems a').first().click();
    if (javaScriptEnabled && (await focused(page)) !== 'email') complain(`${tag}: the list does not lead to the field`);
    const quantity = page.locator('#quantity_100001');
    if (!(await quantity.isVisible())) complain(`${tag}: the summary is closed on a wide screen`);
    await page.setViewportSize({ width: 375, height: 800 });
    if (await quantity.isVisible()) complain(`${tag}: the summary is open on a narrow screen`);
    await page.locator('.summary summary').click();
    await quantity.fill('3');
    await page.locator('button[value=update]').click();
    await page.locator('.summary-total', { hasText: '€300.00' }).waitFor();
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.locator('#place').click();
    await page.waitForURL(/\/pay\//);
    await look('pay');
    for (const [status, moneyMoved] of [
      ['failed', 'no'],
      ['processing', 'unknown'],
      ['created', 'no'],
    ] as const) {
      served.order.pay(status, { moneyMoved, reason: 'card_declined' });
      for (const path of ['pay', 'thanks', 'order/status']) {
        await page.goto(`${served.url}/${path}/${orderId}/${token}`);
        await look(`${path} ${status}`);
      }
    }
    await page.goto(`${served.url}/thanks/${orderId}/${token}`);
    served.order.order = { ...served.order.order, status: 'paid' };
    await page.locator('h1', { hasText: 'Thank you!' }).waitFor({ timeout: 20_000 });
    await look('thanks paid');
    served.order.codes = [{ itemId: 7n, codes: ['QUILL1-8F2A0-77C1D'] }];
    served.order.order = { ...served.order.order, fulfilmentStatus: 'delivered' };
    await page.locator('code', { hasText: 'QUILL1-8F2A0-77C1D' }).waitFor({ timeout: 20_000 });
    await look('thanks delivered');
    await page.goto(`${served.url}/order/status/${orderId}/${token}`);
    await look('order');
    await page.goto(`${served.url}/nowhere`);
    await look('not found');
    served.order.codes = [];
    await renew(page, tag, look);
    Object.assign(served.order, { order: new OrderStandIn().order, subscriptions: [] });
    await context.close();
    console.log(`${tag}: walked`);
  }
}
await browser.close();
await served.stop();
console.log(`${complaints} complaints`);
process.exitCode = complaints === 0 ? 0 : 1;
