/** Every rpc method, read from the proto files: what its request is made of, and the client's side of it. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Field {
  readonly name: string;
  /** A scalar, or the name of a message. */
  readonly type: string;
  readonly isRepeated: boolean;
  readonly isOptional: boolean;
}

export interface RpcMethod {
  readonly service: string;
  /** As in the proto file. */
  readonly name: string;
  readonly fields: readonly Field[];
}

export interface RpcModule {
  /** Such as order.v1.OrderApi. */
  readonly service: string;
  readonly methods: readonly RpcMethod[];
  /** Of each message of the file. */
  readonly messages: ReadonlyMap<string, readonly Field[]>;
  /** The generated definition, for makeClient. */
  readonly definition: object;
}

const root = join(import.meta.dirname, '../../..');

export async function readModules(): Promise<readonly RpcModule[]> {
  const files = globSync('proto/tillstream/*/v1/*_api.proto', { cwd: root }).toSorted();
  return Promise.all(files.map(readModule));
}

async function readModule(file: string): Promise<RpcModule> {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/\/\/.*/g, '');
  if (/\b(oneof|enum)\b/.test(text)) throw new Error(`${file} has a oneof or an enum: teach methods.ts to read it`);
  const messages = new Map<string, readonly Field[]>();
  for (const [, name = '', body = ''] of text.matchAll(/message (\w+) \{([^{}]*)\}/g))
    messages.set(name, readFields(body));
  if (messages.size !== text.match(/\bmessage \w+/g)?.length)
    throw new Error(`${file} has a message in a message: teach methods.ts`);
  const service = /service (\w+)/.exec(text)?.[1] ?? '';
  const methods = [...text.matchAll(/rpc (\w+)\((\w+)\)/g)].map(([, name = '', request = '']): RpcMethod => {
    const fields = messages.get(request);
    if (fields === undefined)
      throw new Error(`${file}: ${name} asks with ${request}, which is not in the same file: teach methods.ts`);
    return { service, name, fields };
  });
  const generated = join(root, file.replace(/^proto\//, 'packages/proto/src/').replace(/\.proto$/, '.ts'));
  const module: Record<string, object> = await import(generated);
  const definition = module[`${service}Service`];
  if (definition === undefined || Object.keys(definition).length !== methods.length)
    throw new Error(`${file}: the generated ${service} has other methods`);
  return { service, methods, messages, definition };
}

function readFields(body: string): readonly Field[] {
  return [...body.matchAll(/(repeated |optional )?(map<[^>]*>|[\w.]+) (\w+) = \d+/g)].map(
    ([, label = '', type = '', name = '']) => ({
      name,
      type,
      isRepeated: label === 'repeated ',
      isOptional: label === 'optional ',
    }),
  );
}

export function camel(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
