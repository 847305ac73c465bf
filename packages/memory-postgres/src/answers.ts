/** What the driver answers. */
import { postgresError } from './errors.ts';

export interface Answer {
  readonly command: string;
  readonly rowCount: number | null;
  readonly rows: Record<string, unknown>[];
  readonly fields: readonly { readonly name: string }[];
  readonly oid: null;
}

export const simple = (command: string): Answer => ({ command, rowCount: null, rows: [], fields: [], oid: null });

export const aborted = () =>
  postgresError('25P02', 'current transaction is aborted, commands ignored until end of transaction block');
