/** The public API as its own document describes it: what is generated from it covers a new route by its existence. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { request } from 'undici';

/** The part of JSON Schema that our document uses. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly format?: string;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';

export interface Operation {
  readonly id: string;
  readonly method: Method;
  /** With its placeholders, such as /v1/orders/{id}. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  readonly isBodyNeeded: boolean;
  /** Complains about an answer that the document does not describe; undefined when it is as described. */
  complaint(answer: { status: number; contentType: string; text: string }): string | undefined;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly operationId: string;
            readonly parameters?: readonly Parameter[];
            readonly requestBody?: Content & { readonly required?: boolean };
            readonly responses: Readonly<Record<string, Content>>;
          }
        >
      >
    >
  >;
}

export async function readOperations(gateway: string): Promise<readonly Operation[]> {
  const answer = await request(`${gateway}/openapi.json`);
  const document = (await answer.body.json()) as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ ...document, $id: 'api' });
  const escape = (text: string) => encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, found]): Operation => {
      const { responses } = found;
      return {
        id: found.operationId,
        method: method.toUpperCase() as Method,
        path,
        parameters: found.parameters ?? [],
        body: found.requestBody?.content?.['application/json']?.schema,
        isBodyNeeded: found.requestBody?.required === true,
        complaint({ status, contentType, text }) {
          const key = [String(status), `${Math.floor(status / 100)}XX`].find((each) => each in responses);
          if (key === undefined) return `the status ${status} is not in the document`;
          const kinds = Object.keys(responses[key]?.content ?? {});
          const kind = kinds.find((each) => contentType.startsWith(each));
          if (kind === undefined) return `the content type ${contentType} of ${status} is not in the document`;
          const parts = ['paths', path, method, 'responses', key, 'content', kind, 'schema'].map(escape);
          const validate = ajv.getSchema(`api#/${parts.join('/')}`);
          if (validate === undefined) return `no schema for ${status} ${kind}`;
          return validate(JSON.parse(text)) === true ? undefined : ajv.errorsText(validate.errors);
        },
      };
    }),
  );
}

/** The path with its placeholders filled. */
export function fillPath(path: string, values: Readonly<Record<string, string>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent((values[name] ?? '').toWellFormed()));
}

/** What the path's id names: /v1/orders/{id}/delete is about something of /v1/orders. */
export function collectionOf(path: string): string | undefined {
  return /^(.*)\/\{\w+\}/.exec(path)?.[1];
}
