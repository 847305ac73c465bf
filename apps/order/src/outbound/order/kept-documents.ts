/**
 * What an order was at a version never changes, and several services ask for it within moments of the event that made it:
 * it is read once. The newest are kept, in memory; what was not found is asked for again, since it may be still to come.
 */
import type { DocumentKey, OrderDocument } from '@tillstream/proto/order/v1/order_api';

const most = 1_000;

export class KeptDocuments {
  readonly #read: (keys: readonly DocumentKey[]) => Promise<readonly OrderDocument[]>;
  readonly #kept = new Map<string, Promise<OrderDocument | undefined>>();

  constructor(read: (keys: readonly DocumentKey[]) => Promise<readonly OrderDocument[]>) {
    this.#read = read;
  }

  /** Unknown and foreign ones are left out. Version 0 is the order as it is now, and never kept. */
  async get(keys: readonly DocumentKey[]): Promise<readonly OrderDocument[]> {
    const wanted = new Map(keys.map((key) => [nameOf(key), key]));
    const missing = [...wanted].filter(([name, key]) => key.version === 0n || !this.#kept.has(name));
    if (missing.length > 0) this.#ask(missing.map(([, key]) => key));
    const found = await Promise.all(keys.map(async (key) => this.#kept.get(nameOf(key))));
    return found.filter((document) => document !== undefined);
  }

  #ask(keys: readonly DocumentKey[]): void {
    const reading = this.#read(keys).then(
      (found) => new Map(found.flatMap((each) => (each.key === undefined ? [] : [[nameOf(each.key), each] as const]))),
    );
    for (const key of keys) {
      const name = nameOf(key);
      const document = reading.then((found) => found.get(name));
      this.#kept.set(name, document);
      const forget = () => {
        if (this.#kept.get(name) === document) this.#kept.delete(name);
      };
      document.then((found) => (found === undefined || key.version === 0n) && forget(), forget);
    }
    for (const name of this.#kept.keys()) {
      if (this.#kept.size <= most) break;
      this.#kept.delete(name);
    }
  }
}

function nameOf(key: DocumentKey): string {
  return `${key.merchantId} ${key.orderId} ${key.version}`;
}
