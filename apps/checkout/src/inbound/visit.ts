/** One request as the routes see it: its parameters, its form, its cookies, and the language its sender reads. */
import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { script, style } from '../assets/assets.ts';
import type { Frame, Shop } from '../pages/view.ts';
import { chooseLocale, readAcceptLanguage, readLocale, type Locale } from '../words/locale.ts';

export interface Visit {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
  readonly nonce: string;
  readonly cartId: string;
  /** The browser only looks ahead; nobody has clicked. */
  readonly isAhead: boolean;
  /** What the visitor asked for on this very page, if it is a language of ours. */
  readonly askedLocale: Locale | undefined;
  /** The best language of the browser's that is one of ours; undefined when there is none. */
  readonly browserLocale: Locale | undefined;
  /** In the order: asked for here, chosen before, the cart's or order's, the browser's, English. */
  localeFor(stored?: string): Locale;
  frame(more?: { locale?: Locale; stored?: string; shop?: Shop; isTest?: boolean }): Frame;
}

const cartCookie = 'till_cart';
const localeCookie = 'till_locale';
const cartForm = /^[0-9a-f]{32}$/;

// Long enough to come back to an unfinished purchase; the cart itself may be gone earlier.
const cartMaxAgeS = 14 * 24 * 3_600;

export function isCartId(text: string): boolean {
  return cartForm.test(text);
}

export function readVisit(request: FastifyRequest, nonce: string): Visit {
  const cookies = readCookies(request.headers.cookie);
  const query = plain(request.query);
  const form = plain(request.body);
  const path = ownPath(request.url);
  const askedLocale = readLocale(query['locale']) ?? readLocale(form['locale']);
  const accepted = readAcceptLanguage(request.headers['accept-language']);
  const cartId = cookies.get(cartCookie) ?? cookies.get(`__Host-${cartCookie}`) ?? '';
  const localeFor = (stored?: string): Locale =>
    askedLocale ?? chooseLocale([cookies.get(localeCookie), stored, ...accepted]);
  return {
    path,
    params: plain(request.params),
    query,
    form,
    nonce,
    cartId: isCartId(cartId) ? cartId : '',
    isAhead: String(request.headers['sec-purpose'] ?? '').startsWith('prefetch'),
    askedLocale,
    browserLocale: accepted.map((tag) => readLocale(tag)).find((found) => found !== undefined),
    localeFor,
    frame: (more = {}) => ({
      locale: more.locale ?? localeFor(more.stored),
      nonce,
      path,
      assets: { style: style.path, script: script.path },
      isTest: more.isTest ?? false,
      ...(more.shop === undefined ? {} : { shop: more.shop }),
    }),
  };
}

/** Pages link to themselves by it: //evil.example and /\\evil.example would be addresses of another site. */
export function ownPath(url: string): string {
  const path = url.split('?', 1)[0] ?? '';
  return `/${path.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/\\]*/i, '').replace(/^[/\\]+/, '')}`;
}

export function makeNonce(): string {
  return randomBytes(16).toString('base64url');
}

/** Remembers the browser's last cart, so that a second checkout link adds to it (R5). Empty = forget it. */
export function cartCookieOf(cartId: string, isSecure: boolean): string {
  const name = isSecure ? `__Host-${cartCookie}` : cartCookie;
  return `${name}=${cartId}; Path=/; Max-Age=${cartId === '' ? 0 : cartMaxAgeS}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
}

/** Remembers a language that was asked for until the browser is closed. */
export function localeCookieOf(locale: Locale, isSecure: boolean): string {
  return `${localeCookie}=${locale.tag}; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
}

function readCookies(header: string | undefined): ReadonlyMap<string, string> {
  const pairs = (header ?? '').split(';').map((part) => part.split('=', 2).map((each) => each.trim()));
  return new Map(pairs.map(([name = '', value = '']) => [name, value]));
}

/** Of a name that is there twice the first counts. */
function plain(source: unknown): Readonly<Record<string, string>> {
  if (typeof source !== 'object' || source === null) return {};
  const values: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(source)) {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first === 'string') values[name] = first;
  }
  return values;
}
