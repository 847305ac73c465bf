/** The stylesheet and the script, under names that change with their content, so that browsers may keep them for ever. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly plain: Buffer;
  readonly brotli: Buffer;
}

const read = (file: string): Buffer => readFileSync(new URL(file, import.meta.url));

function publish(ending: string, type: string, plain: Buffer): Asset {
  const hash = createHash('sha256').update(plain).digest('hex').slice(0, 12);
  return { path: `/assets/checkout-${hash}.${ending}`, type, plain, brotli: brotliCompressSync(plain) };
}

// Customers get one stylesheet; its files are for people. The order is that of the cascade.
const sheets = ['base.css', 'layout.css', 'summary.css', 'form.css', 'states.css', 'renewal.css'];

export const style = publish('css', 'text/css; charset=utf-8', Buffer.concat(sheets.map(read)));
export const script = publish('js', 'text/javascript; charset=utf-8', read('script.js'));
export const assets = [style, script];
