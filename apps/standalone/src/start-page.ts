/** What `console` in the READY line leads to until the merchant backend is built: where to look first. */
import Fastify from 'fastify';
import { html } from 'hono/html';
import type { ServiceApp } from '@tillstream/service/app';
import type { DemoProduct } from './demo-shop.ts';

export interface StartPageContent {
  readonly gateway: string;
  readonly mail: string;
  readonly apiKey: string;
  readonly products: readonly DemoProduct[];
}

const style = `
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5c6675;--line:#dfe3e8;--ground:#f6f7f9;--paper:#fff;--accent:#0b5cad}
@media (prefers-color-scheme:dark){:root{--ink:#e8ebef;--soft:#a3acb9;--line:#343c47;--ground:#14181d;--paper:#1c2229;--accent:#7db8f5}}
body{margin:0;font:16px/1.6 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
main{max-width:46rem;margin:0 auto;padding:2.5rem 1rem}
h1{font-size:1.6rem;margin:0}
h2{font-size:1.05rem;margin:2rem 0 .5rem}
p{margin:.4rem 0;color:var(--soft)}
a{color:var(--accent)}
section{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:.25rem 1.25rem 1.25rem;margin-top:1rem}
code,pre{font:14px/1.6 ui-monospace,monospace;overflow-wrap:anywhere}
pre{white-space:pre-wrap;background:var(--ground);border:1px solid var(--line);border-radius:8px;padding:.8rem}
td{padding:.15rem 1.2rem .15rem 0;vertical-align:top}
td code{white-space:nowrap}
`;

export function startPageApp(content: () => StartPageContent): ServiceApp {
  const http = Fastify({ logger: false });
  http.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'content-security-policy': "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  });
  http.get('/start.css', async (_request, reply) => reply.type('text/css').send(style));
  http.get('/livez', async () => 'ok');
  http.get('/', async (_request, reply) => reply.type('text/html').send(String(await startPage(content()))));
  return { name: 'start-page', rpc: [], topics: [], subscriptions: [], timers: [], workers: [], http };
}

function startPage(content: StartPageContent): ReturnType<typeof html> {
  const { gateway, mail, apiKey, products } = content;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <title>Tillstream is running</title>
        <link rel="stylesheet" href="/start.css" />
      </head>
      <body>
        <main>
          <h1>Tillstream is running</h1>
          <p>Everything here is in test mode: nothing costs anything, and no mail leaves this machine.</p>
          <section>
            <h2>Buy something</h2>
            ${products.map((product) => html`<p><a href="${product.checkout_url}">${product.name}</a></p>`)}
            <table>
              <caption hidden>
                Test cards
              </caption>
              <tr>
                <td><code>4242 4242 4242 4242</code></td>
                <td>pays</td>
              </tr>
              <tr>
                <td><code>4000 0000 0000 0002</code></td>
                <td>is declined</td>
              </tr>
              <tr>
                <td><code>4000 0000 0000 9995</code></td>
                <td>has not enough funds</td>
              </tr>
              <tr>
                <td><code>4000 0027 6000 3184</code></td>
                <td>asks for a strong authentication step</td>
              </tr>
              <tr>
                <td><code>4000 0000 0000 7775</code></td>
                <td>gets no answer, and is later found to have paid</td>
              </tr>
              <tr>
                <td><code>4000 0000 0000 8880</code></td>
                <td>gets no answer, and is later found not to have paid</td>
              </tr>
            </table>
            <p>
              Any future expiry date and any three digits will do. Then read
              <a href="${mail}">the mail that was sent</a>.
            </p>
          </section>
          <section>
            <h2>Sell something</h2>
            <p><a href="${gateway}/docs">The API</a>, and the key of the demo shop:</p>
            <pre>${apiKey}</pre>
            <pre>curl ${gateway}/v1/products -H "Authorization: Bearer ${apiKey}"</pre>
          </section>
        </main>
      </body>
    </html>`;
}
