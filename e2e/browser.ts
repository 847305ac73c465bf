/** A real Chromium: the system's where there is one, else the one that comes inside an npm package. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import chromiumPackage from '@sparticuz/chromium';
import { chromium, type Browser, type Page } from 'playwright-core';

const installed = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const shots = join(import.meta.dirname, 'shots');

export async function openBrowser(): Promise<Browser> {
  const system = installed.find((path) => existsSync(path));
  return chromium.launch({
    executablePath: system ?? (await chromiumPackage.executablePath()),
    args:
      system === undefined
        ? chromiumPackage.args.filter((flag) => !flag.startsWith('--single-process'))
        : ['--no-sandbox'],
    headless: true,
  });
}

/** Keeps a picture of the page at both widths, for people to look at. */
export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true });
  for (const width of [1280, 375]) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}
