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

function load(file: string, type: string): Asset {
  const plain = readFileSync(new URL(file, import.meta.url));
  const hash = createHash('sha256').update(plain).digest('hex').slice(0, 12);
  const ending = file.split('.').at(-1) ?? '';
  return { path: `/assets/checkout-${hash}.${ending}`, type, plain, brotli: brotliCompressSync(plain) };
}

export const style = load('style.css', 'text/css; charset=utf-8');
export const script = load('script.js', 'text/javascript; charset=utf-8');
export const assets = [style, script];
