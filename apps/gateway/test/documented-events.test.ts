/** The section `webhooks` of the document: every type of the catalogue, with examples that are of the shape that they illustrate. */
import { eventTypes } from '@tillstream/public-api/webhook-events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startGateway, type Running } from './running.ts';

interface Media {
  readonly schema: object;
  readonly examples: Readonly<Record<string, { readonly value: Record<string, unknown> }>>;
}
interface Operation {
  readonly operationId: string;
  readonly description: string;
  readonly requestBody: { readonly content: { readonly 'application/json': Media } };
}
interface Document {
  readonly webhooks: Readonly<Record<string, { readonly post: Operation }>>;
  readonly components: { readonly schemas: object };
}

let running: Running;
let document: Document;
beforeAll(async () => {
  running = await startGateway();
  document = JSON.parse((await running.call('GET', '/openapi.json')).text);
});
afterAll(() => running.stop());

/** A schema of the document as one that stands alone. */
function schemaOf(schema: object): z.ZodType {
  const whole = { ...schema, $defs: document.components.schemas };
  return z.fromJSONSchema(JSON.parse(JSON.stringify(whole).replaceAll('#/components/schemas/', '#/$defs/')));
}

test('has each type once', () => {
  expect(Object.keys(document.webhooks)).toEqual(eventTypes.map(([type]) => type));
  expect(new Set(Object.values(document.webhooks).map(({ post }) => post.operationId)).size).toBe(eventTypes.length);
});

test.each(eventTypes)('%s is described, and its examples are valid', (type, row) => {
  const { description, requestBody } = document.webhooks[type]?.post ?? {};
  expect(description).toContain(row.description);
  const { schema, examples } = requestBody?.content['application/json'] ?? { schema: {}, examples: {} };
  expect(Object.keys(examples)).toEqual(row.seed === undefined ? ['standard'] : ['seed', 'standard']);
  const shape = schemaOf(schema);
  for (const [profile, { value }] of Object.entries(examples)) {
    expect(shape.safeParse(value).error, profile).toBeUndefined();
    // It is the schema that says so: another type, a field that is missing or is of another kind are not valid.
    const typeField = profile === 'seed' ? 'event' : 'type';
    expect(value[typeField]).toBe(type);
    expect(shape.safeParse({ ...value, [typeField]: 'order.eaten' }).success, profile).toBe(false);
    const [inner, field] = profile === 'seed' ? ['customer', 'email'] : ['data', 'livemode'];
    const { [field]: _gone, ...rest } = value[inner] as Record<string, unknown>;
    expect(shape.safeParse({ ...value, [inner]: rest }).success, profile).toBe(false);
    expect(shape.safeParse({ ...value, [inner]: { ...rest, [field]: 7 } }).success, profile).toBe(false);
  }
});
