/** The pages of the mailbox: a list, and one letter in a frame that may run nothing. */
import { html, raw } from 'hono/html';
import type { Letter } from './letters.ts';

type Html = ReturnType<typeof html>;

const style = `
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5c6675;--line:#dfe3e8;--ground:#f6f7f9;--paper:#fff;--accent:#0b5cad}
@media (prefers-color-scheme:dark){:root{--ink:#e8ebef;--soft:#a3acb9;--line:#343c47;--ground:#14181d;--paper:#1c2229;--accent:#7db8f5}}
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
main{max-width:52rem;margin:0 auto;padding:2rem 1rem}
h1{font-size:1.4rem;margin:0 0 1rem}
a{color:var(--accent)}
ol{list-style:none;margin:0;padding:0;border:1px solid var(--line);border-radius:10px;background:var(--paper);overflow:hidden}
li+li{border-top:1px solid var(--line)}
li a{display:grid;grid-template-columns:1fr auto;gap:.1rem 1rem;padding:.8rem 1rem;text-decoration:none;color:inherit}
li a:hover,li a:focus-visible{background:var(--ground)}
small,dd,dt{color:var(--soft)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.2rem 1rem;margin:0 0 1rem}
dd{margin:0;color:var(--ink)}
iframe{width:100%;height:70vh;border:1px solid var(--line);border-radius:10px;background:#fff}
pre{white-space:pre-wrap;padding:1rem;border:1px solid var(--line);border-radius:10px;background:var(--paper);overflow-wrap:anywhere}
`;

export const styleSource = style;

function page(title: string, body: Html | Promise<Html>): Html | Promise<Html> {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <title>${title}</title>
        <link rel="stylesheet" href="/mailbox.css" />
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html>`;
}

export function listPage(letters: readonly Letter[]): Html | Promise<Html> {
  const rows = letters.map(
    (letter) =>
      html`<li>
        <a href="/letters/${letter.id}"
          ><strong>${letter.subject}</strong><small>${letter.received_at.slice(0, 19).replace('T', ' ')} UTC</small
          ><span>to ${letter.to.join(', ')}</span></a
        >
      </li>`,
  );
  return page(
    'Mail that was sent',
    html`<h1>Mail that was sent</h1>
      ${
        letters.length === 0
          ? html`<p>Nothing yet. Buy something and look again.</p>`
          : html`<ol>
              ${rows}
            </ol>`
      }`,
  );
}

export function letterPage(letter: Letter): Html | Promise<Html> {
  return page(
    letter.subject,
    html`<p><a href="/">All mail</a></p>
      <h1>${letter.subject}</h1>
      <dl>
        <dt>From</dt>
        <dd>${letter.from}</dd>
        <dt>To</dt>
        <dd>${letter.to.join(', ')}</dd>
        <dt>Message-ID</dt>
        <dd>${letter.message_id}</dd>
      </dl>
      <iframe title="The message as HTML" sandbox src="/letters/${letter.id}/html"></iframe>
      <h2>As text</h2>
      <pre>${letter.text}</pre>`,
  );
}

/** The message's own HTML, for the sandboxed frame only. */
export function frameOf(letter: Letter): Html | Promise<Html> {
  return html`${raw(letter.html)}`;
}
