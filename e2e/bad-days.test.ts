/** Bad days of the form that `npm start` runs: killed, started twice, in the way of others, without its database. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAllWell } from './aftermath.ts';
import { Crowd, pause } from './crowd.ts';
import { expectWell } from './doctor.ts';
import { descendantsOf, isStillThere } from './process-tree.ts';
import { expectRefusal, makeDataFolder, startProduct, type Product } from './product.ts';
import { buy } from './purchase.ts';
import { Shop } from './shop.ts';
import { until } from './until.ts';
import { Receiver } from './webhooks.ts';

// The documented pauses begin with five seconds, which a test that breaks things on purpose would wait for again and again.
const env = { WEBHOOK_RETRY_DELAYS_MS: '500,1000,1000,2000,2000,5000,5000,10000' };

const folders: string[] = [];

function temporary(): string {
  const folder = makeDataFolder();
  folders.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('what was sold', () => {
  let product: Product;
  let shop: Shop;
  let link: string;
  const receiver = new Receiver();

  beforeAll(async () => {
    product = await startProduct('standalone', { env });
    shop = new Shop(product.gateway, product.api_key);
    await receiver.listen();
    await shop.addEndpoint(receiver.url);
    const made = await shop.createProduct('Demo');
    link = made.checkout_url;
    await shop.addCodes(made.id, 1000);
  });

  afterAll(async () => {
    await product.stop();
    await receiver.goDown();
    product.forget();
  });

  test('survives a kill -9 in the middle of purchases, whenever it comes', async ({ annotate }) => {
    const crowd = new Crowd('killed', link).start();
    for (let round = 0; round < 3; round += 1) {
      const before = crowd.through;
      await until('purchases to be under way', async () => crowd.through > before + 3);
      await pause(Math.random() * 300);
      await product.kill();
      product = await startProduct('standalone', { env, data: product.data, portBase: product.portBase });
    }
    await crowd.end();
    const figures = await expectAllWell(product, shop, receiver, crowd);
    await annotate(JSON.stringify(figures));
    expect(figures.paid).toBeGreaterThan(10);
  });

  test('survives the death of the database, which is started again', async ({ annotate }) => {
    const crowd = new Crowd('no-database', link).start();
    await until('purchases to be under way', async () => crowd.through > 3);
    const pidFile = join(product.data, 'postgres', 'postmaster.pid');
    const killed = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
    process.kill(killed, 'SIGKILL');
    await until(
      'another database',
      async () => existsSync(pidFile) && !readFileSync(pidFile, 'utf8').startsWith(`${killed}\n`),
    );
    await until('purchases again', async () => shop.order((await buy(link)).orderId));
    await crowd.end();
    await annotate(JSON.stringify(await expectAllWell(product, shop, receiver, crowd)));
  });

  test('after all that the doctor finds the installation well', async () => {
    await expectWell(product);
  });

  test('is not touched by a second start on the same data', async () => {
    const refused = await expectRefusal({ TILLSTREAM_DATA: product.data, PORT_BASE: String(product.portBase + 30) });
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`${product.data} is in use by another start (process ${product.pid})`);
    expect(refused.output).not.toContain('    at ');
    await buy(link);
  });

  test('a start on ports that are taken names them', async () => {
    const data = temporary();
    const refused = await expectRefusal({ TILLSTREAM_DATA: data, PORT_BASE: String(product.portBase) });
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`${product.portBase} (gateway)`);
    expect(refused.output).toContain('PORT_BASE');
    expect(refused.output).not.toContain('    at ');
  });

  test('Ctrl-C ends it within fifteen seconds, with code 0 and with all its children', async () => {
    await buy(link);
    const children = descendantsOf(product.pid);
    expect(children.some((child) => child.command.includes('postgres'))).toBe(true);
    const askedAt = Date.now();
    expect(await product.stop()).toBe(0);
    expect(Date.now() - askedAt).toBeLessThan(15_000);
    await until('its children to be gone', async () => !children.some(isStillThere), 5_000);
  });
});

describe('a start that cannot work says why', () => {
  test('one single port is taken, by a stranger', async () => {
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const address = stranger.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    // The stranger has the checkout's place.
    const refused = await expectRefusal({ TILLSTREAM_DATA: temporary(), PORT_BASE: String(port - 1) });
    stranger.close();
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`${port} (checkout)`);
  });

  test('a file is where the data folder should be', async () => {
    const file = join(temporary(), 'data');
    writeFileSync(file, 'not a folder');
    const refused = await expectRefusal({ TILLSTREAM_DATA: file, PORT_BASE: '18000' });
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`The folder ${file} cannot be`);
    expect(refused.output).toContain('TILLSTREAM_DATA');
    expect(refused.output).not.toContain('    at ');
  });
});
