/** Everything that is not answered with success is answered with problem+json (RFC 9457), by the one table of refusals. */
import type { Socket } from 'node:net';
import { isOutage } from '@tillstream/messaging/outage';
import { refusals, Refused, type FieldRefusal, type RefusalCode } from '@tillstream/rpc/refusals';
import { currentTraceparent, traceIdOf } from '@tillstream/telemetry/trace';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';

export const problemType = 'application/problem+json';

export const problemShape = z
  .object({
    type: z.string().describe('The place in the list of errors where this one is explained.'),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().describe('Stable; what a program should look at.'),
    param: z.string().optional().describe('The field that it is about.'),
    errors: z
      .array(z.object({ param: z.string(), code: z.string(), detail: z.string() }))
      .optional()
      .describe('All fields that are wrong.'),
    request_id: z.string().describe('Name it when you ask us.'),
    trace_id: z.string().optional(),
  })
  .meta({ id: 'Problem' });

// Nothing final was decided: the same request may be answered otherwise in a moment.
const passing: ReadonlySet<RefusalCode> = new Set(['internal', 'unavailable', 'conflict_retry', 'rate_limited']);

export function isPassing(code: RefusalCode): boolean {
  return passing.has(code);
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, refused: Refused): FastifyReply {
  const { http: status, sentence } = refusals[refused.code];
  const traceId = traceIdOf(currentTraceparent());
  reply.refusal = refused.code;
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="Tillstream"');
  if (
    refused.code === 'unavailable' ||
    refused.code === 'idempotency_key_in_flight' ||
    refused.code === 'conflict_retry'
  )
    reply.header('retry-after', '1');
  const problem = {
    type: `/errors#${refused.code}`,
    title: sentence,
    status,
    detail: refused.message,
    instance: request.url.split('?')[0] ?? '',
    code: refused.code,
    ...(refused.param === undefined ? {} : { param: refused.param }),
    ...(refused.fields.length === 0 ? {} : { errors: refused.fields }),
    request_id: request.id,
    ...(traceId === '' ? {} : { trace_id: traceId }),
  };
  // A connection that is closed on a client that still sends breaks before it has read why. What was announced and is
  // not endless is read to its end and thrown away.
  if (refused.code === 'payload_too_large' && Number(request.headers['content-length']) <= 64 * 1024 * 1024)
    reply.removeHeader('connection');
  // As bytes: a serializer for the success of a route would not know it.
  return reply
    .code(status)
    .type(problemType)
    .send(Buffer.from(JSON.stringify(problem)));
}

// What a request that never became one is answered with, by Node's name of it; anything else is not well formed.
const broken: Readonly<Record<string, readonly [status: number, reason: string, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not come within the time there is for one.'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The headers are too large.'],
};
// An answer is read by then; whoever does not hang up keeps nothing open.
const lingerMs = 1_000;

/** Not HTTP, headers without end, or a request that never came: nobody can be told which request it was. */
export function answerBrokenRequest(socket: Socket, why: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { http, sentence } = refusals.invalid_request;
  const [status, reason, detail] = broken[why] ?? [http, 'Bad Request', sentence];
  const body = JSON.stringify({
    type: '/errors#invalid_request',
    title: sentence,
    status,
    detail,
    instance: '',
    code: 'invalid_request',
    request_id: '',
  });
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: ${problemType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

/** Whatever was thrown, as a refusal; what is nobody's fault but ours becomes `internal`. */
export function refusalOf(error: unknown): Refused {
  if (error instanceof Refused) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return refusalOfShape(error);
  const { code = '', statusCode = 500 } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Refused('payload_too_large');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new Refused('invalid_request', { detail: 'Send JSON with content-type: application/json.' });
  if (statusCode >= 400 && statusCode < 500)
    return new Refused('invalid_request', { detail: 'The body is not well-formed JSON.' });
  // Of our own database, which keeps the answers to Idempotency-Keys: it comes back, and the request may too.
  return new Refused(isOutage(error) ? 'unavailable' : 'internal');
}

/** Of a shape whose own complaint does not tell a field that is missing from one that is wrong, such as an enum. */
export const isRequired = 'This field is required.';

interface ShapeError {
  readonly validation: readonly {
    readonly keyword?: string;
    readonly instancePath: string;
    readonly message?: string;
    readonly params: Readonly<Record<string, unknown>>;
  }[];
}

function refusalOfShape(error: ShapeError): Refused {
  const fields = error.validation.slice(0, 50).flatMap((issue): FieldRefusal[] => {
    const path = dotted(issue.instancePath);
    if (issue.keyword === 'unrecognized_keys' && Array.isArray(issue.params['keys'])) {
      return issue.params['keys'].slice(0, 50).map((key) => {
        const name = String(key).slice(0, 100);
        return {
          param: path === '' ? name : `${path}.${name}`,
          code: 'invalid_field',
          detail: 'There is no such field.',
        };
      });
    }
    const message = issue.message ?? '';
    if (message === isRequired || (issue.keyword === 'invalid_type' && message.endsWith('received undefined')))
      return [{ param: path, code: 'required', detail: isRequired }];
    const isLong = issue.keyword === 'too_big' && issue.params['origin'] === 'string';
    return [{ param: path === '' ? 'body' : path, code: isLong ? 'too_long' : 'invalid_field', detail: message }];
  });
  const [first] = fields;
  return new Refused(first?.code ?? 'invalid_field', {
    fields,
    ...(first === undefined ? {} : { param: first.param, detail: first.detail }),
  });
}

/** `/prices/0/amount` is prices[0].amount to a merchant. */
function dotted(path: string): string {
  return path
    .slice(1)
    .split('/')
    .filter((part) => part !== '')
    .map((part, at) => (/^\d+$/.test(part) ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('')
    .slice(0, 200);
}
