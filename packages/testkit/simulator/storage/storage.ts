/** Where rows are kept: in memory, or in a real Postgres. The pool in front of both is the same. */
import type { RowChange } from '@tillstream/memory-postgres/transaction';
import type { PoolConfig } from 'pg';

export interface Answer {
  readonly rows: unknown[];
  readonly rowCount: number | null;
  readonly command: string;
}

export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface Connection {
  /** Takes effect at once, or when the lock that it waits for is free. */
  query(statement: Statement): Answer | Promise<Answer>;
  onNotification(listener: (message: { channel: string; payload: string }) => void): void;
  /** As a killed process leaves it: what was not committed is rolled back. */
  drop(): void;
}

export interface Storage {
  connect(config: PoolConfig): Promise<Connection>;
  /** Rows for a judge, who may see everything; not part of the history. */
  look<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** A storage with the schemas of all services, in which one history after the other takes place. */
export interface Ground extends Storage {
  /** Whether it tells of each commit; a server does not. */
  readonly tellsCommits: boolean;
  /** Everything is as it was kept. From then on each commit is told, with the rows that it changed. */
  fresh(onCommit?: (changes: readonly RowChange[]) => void): Promise<void>;
  /** From now on histories begin with what is here. */
  keep(): Promise<void>;
  close(): Promise<void>;
}
