/** Templates that escape by default. Everything on our pages is known when a page is written: nothing is awaited in it. */
import { html as template, raw } from 'hono/html';

export type Html = ReturnType<typeof raw>;

export { raw };

export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  const made = template(strings, ...values);
  if (made instanceof Promise) throw new TypeError('a page may not wait for anything');
  return made;
}

/** The page as text to send. A template's result looks like a string and is an object. */
export function textOf(page: Html): string {
  return page.toString();
}
