/** I8 at every commit, with the lines of history that may never change. */
import { isAllowed, next, orderPaths, paymentPaths, type Paths } from '../transitions.ts';
import type { Change, Judge, Reading } from './watch.ts';

interface Kind {
  readonly what: string;
  readonly id: string;
  readonly rows: string;
  readonly history: string;
  /** Absent = only its versions are judged. */
  readonly paths?: Paths;
}

const kinds: readonly Kind[] = [
  { what: 'order', id: 'order_id', rows: 'order.purchase_order', history: 'order.order_history', paths: orderPaths },
  {
    what: 'payment',
    id: 'payment_id',
    rows: 'payment.payment',
    history: 'payment.payment_history',
    paths: paymentPaths,
  },
  {
    what: 'subscription',
    id: 'subscription_id',
    rows: 'subscription.subscription',
    history: 'subscription.subscription_history',
  },
];

interface Stand {
  version: number;
  status: string;
}

export function watchPaths(): Judge {
  const stands = new Map<string, Stand>();
  let complaints: string[] = [];
  let lines: { readonly kind: Kind; readonly row: Reading }[] = [];
  let rows: { readonly kind: Kind; readonly row: Reading }[] = [];

  const hearLine = (kind: Kind) => (change: Change) => {
    if (change.old === undefined && change.now !== undefined) lines.push({ kind, row: change.now });
    else complaints.push(`a line of the history of ${kind.what} ${change.old?.text(kind.id)} was changed or removed`);
  };
  const hearRow = (kind: Kind) => (change: Change) => {
    if (change.now !== undefined) rows.push({ kind, row: change.now });
    else complaints.push(`${kind.what} ${change.old?.text(kind.id)} was removed`);
  };
  const walk = ({ what, id, paths }: Kind, row: Reading, charges: ReadonlySet<string>): void => {
    const key = `${what} ${row.text(id)}`;
    const stand = stands.get(key) ?? { version: 0, status: 'absent' };
    stands.set(key, stand);
    const version = Number(row.get('version'));
    if (version !== stand.version + 1) complaints.push(`${key} goes from version ${stand.version} to ${version}`);
    stand.version = version;
    const type = row.text('type');
    const to = next(type, charges.has(key));
    if (paths === undefined || to === undefined || to === stand.status) return;
    if (!isAllowed(paths, stand.status, to)) complaints.push(`${key} goes from ${stand.status} to ${to} (${type})`);
    stand.status = to;
  };

  return {
    id: 'I8',
    sentence: 'At every commit a history is a path of the table, says what its row says, and is only ever added to.',
    about(table) {
      const name = `${table.schema}.${table.name}`;
      const kind = kinds.find((each) => each.rows === name || each.history === name);
      if (kind === undefined) return undefined;
      return kind.history === name ? hearLine(kind) : hearRow(kind);
    },
    settle() {
      if (lines.length === 0 && rows.length === 0 && complaints.length === 0) return [];
      const charges = new Set(
        rows.flatMap(({ kind, row }) =>
          kind.what === 'payment' && row.get('is_off_session') === true ? [`payment ${row.text(kind.id)}`] : [],
        ),
      );
      for (const { kind, row } of lines) walk(kind, row, charges);
      for (const { kind, row } of rows) {
        const key = `${kind.what} ${row.text(kind.id)}`;
        const stand = stands.get(key);
        if (Number(row.get('version')) !== stand?.version)
          complaints.push(`${key} is at version ${row.text('version')}, its history at ${stand?.version ?? 0}`);
        if (kind.paths !== undefined && row.text('status') !== stand?.status)
          complaints.push(`${key} is ${row.text('status')}, its history ends at ${stand?.status ?? 'nothing'}`);
      }
      const found = complaints;
      [complaints, lines, rows] = [[], [], []];
      return found;
    },
  };
}
