/**
 * For people who change the pages: photographs each in every state, wide and narrow, light and dark, into shots/.
 * `node apps/checkout/test/shoot.ts [part of a name] [language]`
 */
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import chromiumPackage from '@sparticuz/chromium';
import { chromium } from 'playwright-core';
import { assets } from '../src/assets/assets.ts';
import { gallery } from './fixtures.ts';

const [part = '', language = 'en'] = process.argv.slice(2);
const shots = join(import.meta.dirname, '..', 'shots');
const pages = gallery(language);
const server = createServer((request, response) => {
  const path = request.url ?? '/';
  const asset = assets.find((each) => each.path === path);
  const content = asset?.plain ?? pages[path.slice(1)]?.toString() ?? 'no such page';
  response.setHeader('content-type', asset?.type ?? 'text/html; charset=utf-8');
  response.end(content);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
const base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;

const system = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const browser = await chromium.launch({
  executablePath: system ?? (await chromiumPackage.executablePath()),
  args:
    system === undefined
      ? chromiumPackage.args.filter((flag) => !flag.startsWith('--single-process'))
      : ['--no-sandbox'],
});
mkdirSync(shots, { recursive: true });
for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 375]) {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height: 900 },
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    for (const name of Object.keys(pages).filter((each) => each.includes(part))) {
      await page.goto(`${base}/${name}`);
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      if (Number(overflow) > 0) console.log(`${name} at ${width}: ${String(overflow)} px too wide`);
      await page.screenshot({ path: join(shots, `${language}-${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
server.close();
