/** The OpenAPI document and its page, from the same schemas that check the requests; and the list of errors, from its one table. */
import { createHash } from 'node:crypto';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { refusals } from '@tillstream/rpc/refusals';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { documentedEvents } from '../webhooks/documented-events.ts';

const introduction = `The API of a merchant's shop. Sums are whole minor units (cents) with an ISO 4217 code; instants are RFC 3339 in UTC.
The key decides the mode: \`till_test_…\` sees test objects only, \`till_live_…\` live ones. What belongs to somebody else is not found (404).
Send an \`Idempotency-Key\` with each POST: the same request again gets the same bytes and makes nothing new, for 30 days (after a 202 it is looked at again).
Errors are \`application/problem+json\`; look at \`code\` ([all codes](/errors)). Lists are newest first: \`limit\`, \`starting_after\`, \`ending_before\`.`;

const tags = [
  { name: 'Merchant', description: 'The shop itself and its API keys.' },
  { name: 'Products', description: 'The product library and the pools of licence codes.' },
  { name: 'Orders', description: 'What was sold, and everything that happened to it.' },
  { name: 'Payments', description: 'Payments of orders.' },
  { name: 'Subscriptions', description: 'What renews: by itself, or by an order that the customer pays by hand.' },
  {
    name: 'Webhooks',
    description: 'Endpoints, events and deliveries; and under “webhooks” each type of event with its bodies.',
  },
  { name: 'Test clock', description: 'The time machine of test mode: what takes a year happens now.' },
];

/** Before the routes: it collects them as they are added. */
export async function documentRoutes(server: FastifyInstance): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tillstream',
        version: '1',
        description: introduction,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags,
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'till_test_… or till_live_…' } },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => finish(jsonSchemaTransformObject(document)),
  });
  server.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('cache-control', 'no-cache').type('application/json').send(JSON.stringify(server.swagger())),
  );
  server.get('/errors', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('content-security-policy', errorsPolicy).type('text/html').send(errorsPage),
  );
}

// The page's own program and style (the hash is of one style inside its HTML), and nothing from anywhere else.
const documentationPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** On a body that may be left out; it does not get into the document. */
export const isOptionalBody = 'x-body-is-optional';

const optionalForm = z.object({
  content: z.object({ 'application/json': z.object({ schema: z.looseObject({ [isOptionalBody]: z.literal(true) }) }) }),
});

type Document = ReturnType<typeof jsonSchemaTransformObject>;

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Yours, 1 to 255 printable ASCII characters. The same request again with it gets the same answer.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

/** Adds the webhooks and the header of every POST, says which bodies may be left out, and leaves out the shapes that the generator writes a second time and nobody refers to. */
function finish(document: Document): Document {
  if (!('components' in document)) return document;
  const schemas = Object.entries(document.components?.schemas ?? {}).filter(([name]) => !name.endsWith('Input'));
  for (const path of Object.values(document.paths ?? {})) {
    if (path?.post !== undefined)
      Object.assign(path.post, {
        parameters: [...(path.post.parameters ?? []), idempotencyKey],
        ...bodyOf(path.post.requestBody),
      });
  }
  const components = { ...document.components, schemas: Object.fromEntries(schemas) };
  return { ...document, webhooks: documentedEvents(), components } as Document;
}

function bodyOf(body: unknown): object {
  const found = optionalForm.safeParse(body);
  if (!found.success) return {};
  const { [isOptionalBody]: _mark, ...schema } = found.data.content['application/json'].schema;
  return { requestBody: { required: false, content: { 'application/json': { schema } } } };
}

export async function showDocumentation(server: FastifyInstance): Promise<void> {
  await server.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    theme: { title: 'Tillstream API', css: [{ filename: 'theme.css', content: '.swagger-ui .topbar{display:none}' }] },
    transformStaticCSP: () => documentationPolicy,
    uiConfig: { docExpansion: 'list', defaultModelsExpandDepth: 0, persistAuthorization: false },
  });
}

const rows = Object.entries(refusals)
  .map(
    ([code, { http, sentence }]) =>
      `<tr id="${code}"><th scope="row"><code>${code}</code></th><td>${http}</td><td>${sentence.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</td></tr>`,
  )
  .join('\n');

const errorsStyle = `:root{color-scheme:light dark}
body{font:16px/1.6 system-ui,sans-serif;max-width:56rem;margin:0 auto;padding:2rem 1rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem 1rem .35rem 0;border-bottom:1px solid #8886;vertical-align:top;font-weight:400}
thead th{font-weight:600}
code{font:14px/1.6 ui-monospace,monospace}
tr:target{background:#fd06}`;
const errorsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(errorsStyle).digest('base64')}'; base-uri 'none'; frame-ancestors 'none'`;

const errorsPage = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Errors – Tillstream API</title><style>${errorsStyle}</style></head>
<body>
<h1>Errors</h1>
<p>Every error is <code>application/problem+json</code>. Programs look at <code>code</code>; <code>errors</code> names each wrong field; <code>request_id</code> is what to tell us.</p>
<div class="wide"><table><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${rows}
</tbody></table></div>
</body>
</html>
`;
