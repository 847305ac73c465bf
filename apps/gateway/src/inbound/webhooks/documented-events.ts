/** The section `webhooks` of the OpenAPI document, from the catalogue of event types. */
import { seedDocument } from '@tillstream/public-api/seed-document';
import { eventTypes, subjectShapes, type CatalogueRow } from '@tillstream/public-api/webhook-events';
import type { z } from 'zod';

const reference = (shape: z.ZodType) => ({ $ref: `#/components/schemas/${shape.meta()?.id ?? ''}` });

const header = (name: string, description: string) => ({ name, in: 'header', description, schema: { type: 'string' } });
const headers = [
  header('webhook-id', 'The id of the event; the same in every attempt, so that a receiver can tell repetitions.'),
  header('webhook-timestamp', 'When this attempt was sent, in seconds since 1970.'),
  header(
    'webhook-signature',
    'Standard Webhooks: `v1,` and the base64 HMAC-SHA256 over id, timestamp and body; two of them after a rotation.',
  ),
  header('signature', 'The older signature over a few fields of the body; sent where the endpoint asks for it.'),
];

const responses = {
  '2XX': { description: 'The event was taken.' },
  '410': { description: 'The endpoint is gone: it is disabled, and nothing more is sent to it.' },
  default: { description: 'Any other answer, a redirect too: the same body is sent again later.' },
};

/** One entry for each type, with its bodies in both payload profiles and an example of each. */
export function documentedEvents(): Record<string, { post: object }> {
  return Object.fromEntries(eventTypes.map(([type, row]) => [type, { post: operationOf(type, row) }]));
}

function operationOf(type: string, row: CatalogueRow): object {
  const { seed, timestamp, data } = row;
  const standard = {
    type: 'object',
    description: 'Payload profile `standard`.',
    properties: {
      type: { type: 'string', const: type },
      timestamp: { type: 'string', format: 'date-time', description: 'When it happened.' },
      data: reference(subjectShapes[row.subject]),
    },
    required: ['type', 'timestamp', 'data'],
    additionalProperties: false,
  };
  const inSeed = {
    description: 'Payload profile `seed`: one for each product of the order.',
    allOf: [reference(seedDocument), { type: 'object', properties: { event: { type: 'string', const: type } } }],
  };
  return {
    operationId: `on_${type.replaceAll('.', '_')}`,
    tags: ['Webhooks'],
    summary: type,
    description:
      seed === undefined
        ? `${row.description} Only for endpoints of the payload profile \`standard\`.`
        : row.description,
    parameters: headers,
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: seed === undefined ? standard : { oneOf: [inSeed, standard] },
          examples: {
            ...(seed === undefined ? {} : { seed: { value: seed } }),
            standard: { value: { type, timestamp, data } },
          },
        },
      },
    },
    responses,
  };
}
