/** I14 at every commit: each row has its tenant for ever, and names nothing that belongs to another. */
import type { TableDefinition } from '@tillstream/memory-postgres/catalog';
import { Json } from '@tillstream/memory-postgres/values';
import type { Shops } from '../../shop.ts';
import type { Change, Judge, Reading } from './watch.ts';

// Of the house, not of a merchant: who said what, who leads, and what a provider sent before anybody has read it.
const ofTheHouse = new Set([
  'account',
  'inbox',
  'timer_lease',
  'callback',
  'shard_lease',
  'dispatcher',
  'job_destination',
]);
// The tenant is in the headers.
const messages = new Set(['outbox', 'parked_message']);
const named =
  /^(aggregate|cart|delivery|endpoint|event|instrument|item|licence|order|payment|pool_code|product|subscription|(open|last|parent)_(order|item))_id$/;

/** Whose things are. */
export class Tenants {
  readonly #merchantOf = new Map<string, string>();

  /** What the shops had before. */
  begin(shops: Shops): void {
    for (const { name, merchantId, products } of Object.values(shops)) {
      this.claim(merchantId, merchantId);
      this.claim(`CANARY-${name.toUpperCase()}`, merchantId);
      for (const id of Object.values(products)) this.claim(id, merchantId);
    }
  }

  /** Answers whose it is already, when that is somebody else. */
  claim(id: string, merchant: string): string | undefined {
    const owner = this.#merchantOf.get(id);
    if (owner === undefined) this.#merchantOf.set(id, merchant);
    return owner === merchant ? undefined : owner;
  }

  /** What in this text belongs to somebody else: ids and numbers of orders, with what stands around them. */
  strangers(text: string, merchant: string): readonly string[] {
    return (text.match(wordsOfIds) ?? []).filter((word) => {
      const owner = this.#merchantOf.get(word);
      return owner !== undefined && owner !== merchant;
    });
  }

  /** All whose things are in this text. */
  named(text: string): ReadonlySet<string> {
    return new Set((text.match(wordsOfIds) ?? []).flatMap((word) => this.#merchantOf.get(word) ?? []));
  }
}

// Orders are numbered from 1000001 on; a code says of whose pool it is.
const wordsOfIds =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<!\d)1\d{6}(?!\d)|CANARY-(?:FIRST|OTHER)/g;

export function watchTenants(tenants: Tenants): Judge {
  let complaints: string[] = [];
  const hear = (table: TableDefinition) => {
    const name = `${table.schema}.${table.name}`;
    const columns = table.columns.map((column) => column.name).filter((column) => named.test(column));
    const tenantOf = messages.has(table.name)
      ? (row: Reading) => tenantIn(row.get('headers'))
      : (row: Reading) => row.text('merchant_id');
    return ({ old, now }: Change): void => {
      if (now === undefined) return;
      const merchant = tenantOf(now);
      if (merchant === 'null' || merchant === '') complaints.push(`a row of ${name} has no tenant`);
      if (old !== undefined && tenantOf(old) !== merchant)
        complaints.push(`a row of ${name} went from ${tenantOf(old)} to ${merchant}`);
      for (const column of columns) {
        const id = now.text(column);
        if (id === '' || id === '0' || id === 'null' || (old !== undefined && old.text(column) === id)) continue;
        // Small numbers are counted apart in each column.
        const owner = tenants.claim(/^\d{1,6}$/.test(id) ? `${column} ${id}` : id, merchant);
        if (owner !== undefined) complaints.push(`${column} ${id} of ${owner} is in a row of ${name} of ${merchant}`);
      }
    };
  };
  return {
    id: 'I14',
    sentence: 'Every row has its tenant for ever, and names nothing that belongs to another.',
    about(table) {
      if (table.columns.some((column) => column.name === 'merchant_id') || messages.has(table.name)) return hear(table);
      if (ofTheHouse.has(table.name)) return undefined;
      return () => complaints.push(`${table.schema}.${table.name} has no column for its tenant`);
    },
    settle() {
      if (complaints.length === 0) return complaints;
      const found = complaints;
      complaints = [];
      return found;
    },
  };
}

function tenantIn(headers: unknown): string {
  const said: unknown = headers instanceof Json ? headers.value : undefined;
  if (typeof said !== 'object' || said === null || !('merchant_id' in said)) return '';
  return String(said.merchant_id);
}
