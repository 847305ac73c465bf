/**
 * A visitor without a browser: gets pages, keeps cookies, fills forms in by their autocomplete tokens and presses
 * buttons. It knows HTML and spec words only, nothing of our page's insides.
 */
import { parse, type HTMLElement } from 'node-html-parser';
import { CookieJar } from 'tough-cookie';
import { request } from 'undici';

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
  readonly document: HTMLElement;
}

export class Visitor {
  readonly #cookies = new CookieJar();
  readonly #language: string;

  constructor(language = 'en') {
    this.#language = language;
  }

  /** Follows at most ten redirects, as a browser does. */
  async open(url: string): Promise<Page> {
    return this.#send(url, 'GET', undefined, undefined);
  }

  /** Submits the form that holds the button, with what the page has in it and `values` over it. */
  async press(page: Page, button: HTMLElement, values: Record<string, string> = {}): Promise<Page> {
    const formId = button.getAttribute('form');
    const form = formId === undefined ? closestForm(button) : page.document.querySelector(`form#${formId}`);
    if (form === null) throw new Error('the button belongs to no form');
    const fields = fieldsOf(form, page.document);
    for (const [name, value] of Object.entries(values)) fields.set(name, value);
    const name = button.getAttribute('name');
    if (name !== undefined) fields.set(name, button.getAttribute('value') ?? '');
    const action = new URL(button.getAttribute('formaction') ?? form.getAttribute('action') ?? page.url, page.url).href;
    if ((form.getAttribute('method') ?? 'get').toLowerCase() === 'get') {
      const target = new URL(action);
      for (const [key, value] of fields) target.searchParams.set(key, value);
      return this.#send(target.href, 'GET', undefined, page.url);
    }
    return this.#send(action, 'POST', fields.toString(), page.url);
  }

  async #send(url: string, method: 'GET' | 'POST', body: string | undefined, from: string | undefined): Promise<Page> {
    let at = url;
    let verb = method;
    let payload = body;
    let site = from === undefined ? 'none' : sameOrigin(from, url) ? 'same-origin' : 'cross-site';
    for (let hop = 0; hop < 10; hop += 1) {
      const response = await request(at, {
        method: verb,
        headers: {
          'accept-language': this.#language,
          accept: 'text/html',
          cookie: await this.#cookies.getCookieString(at),
          'sec-fetch-site': site,
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(from ?? at).origin }),
        },
        ...(payload === undefined ? {} : { body: payload }),
      });
      const text = await response.body.text();
      for (const cookie of [response.headers['set-cookie'] ?? []].flat()) await this.#cookies.setCookie(cookie, at);
      const location = response.headers['location'];
      if (response.statusCode < 300 || response.statusCode >= 400 || typeof location !== 'string') {
        return { url: at, status: response.statusCode, text, document: parse(text) };
      }
      const next = new URL(location, at).href;
      if (!sameOrigin(at, next)) site = 'cross-site';
      at = next;
      verb = 'GET';
      payload = undefined;
    }
    throw new Error(`more than ten redirects from ${url}`);
  }
}

/** The field of the page with this autocomplete token, whichever name it has. */
export function fieldFor(page: Page, token: string): string {
  const field = page.document
    .querySelectorAll('input,select')
    .find((each) => each.getAttribute('autocomplete')?.split(' ').includes(token));
  const name = field?.getAttribute('name');
  if (name === undefined) throw new Error(`no field with autocomplete="${token}" on ${page.url}`);
  return name;
}

/** Every field by its token, ready for `press`. */
export function filled(page: Page, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([token, value]) => [fieldFor(page, token), value]));
}

/** All the page's checkboxes that must be ticked. */
export function consents(page: Page): Record<string, string> {
  const boxes = page.document
    .querySelectorAll('input[type=checkbox]')
    .filter((box) => box.hasAttribute('required') || box.getAttribute('aria-required') === 'true');
  return Object.fromEntries(boxes.map((box) => [box.getAttribute('name') ?? '', box.getAttribute('value') ?? 'on']));
}

/** The button whose words match. */
export function button(page: Page, words: RegExp): HTMLElement {
  const found = page.document
    .querySelectorAll('button')
    .find((each) => words.test(each.text.replaceAll(/\s+/g, ' ').trim()));
  if (found === undefined) throw new Error(`no button ${words} on ${page.url}:\n${visibleText(page).slice(0, 600)}`);
  return found;
}

/** Where the link leads whose words match. */
export function linkTo(page: Page, words: RegExp): string {
  const found = page.document
    .querySelectorAll('a')
    .find((each) => words.test(each.text.replaceAll(/\s+/g, ' ').trim()));
  const to = found?.getAttribute('href');
  if (to === undefined) throw new Error(`no link ${words} on ${page.url}:\n${visibleText(page).slice(0, 1500)}`);
  return new URL(to, page.url).href;
}

/** What a reader sees, without markup. */
export function visibleText(page: Page): string {
  const body = page.document.querySelector('body') ?? page.document;
  for (const hidden of body.querySelectorAll('script,style,template')) hidden.remove();
  return body.structuredText;
}

function closestForm(element: HTMLElement): HTMLElement | null {
  for (let at: HTMLElement | null = element; at !== null; at = at.parentNode) if (at.rawTagName === 'form') return at;
  return null;
}

function fieldsOf(form: HTMLElement, document: HTMLElement): URLSearchParams {
  const id = form.getAttribute('id');
  const outside = id === undefined ? [] : document.querySelectorAll(`[form="${id}"]`);
  const fields = new URLSearchParams();
  for (const field of [
    ...form.querySelectorAll('input,select,textarea'),
    ...outside.filter((each) => each.rawTagName !== 'button'),
  ]) {
    const name = field.getAttribute('name');
    const type = field.getAttribute('type');
    if (name === undefined || type === 'submit' || field.hasAttribute('disabled')) continue;
    if ((type === 'checkbox' || type === 'radio') && !field.hasAttribute('checked')) continue;
    if (field.rawTagName === 'select') {
      const options = field.querySelectorAll('option');
      const chosen = options.find((option) => option.hasAttribute('selected')) ?? options[0];
      fields.set(name, chosen?.getAttribute('value') ?? '');
    } else {
      fields.set(name, field.getAttribute('value') ?? (type === 'checkbox' ? 'on' : ''));
    }
  }
  return fields;
}

function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin;
}
