/** Errors as the driver raises them, so that code which looks at `code` and `constraint` cannot tell the difference. */
import { DatabaseError } from 'pg';

export interface ErrorPlace {
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly detail?: string;
}

export function postgresError(code: string, message: string, place: ErrorPlace = {}): DatabaseError {
  const error = new DatabaseError(message, message.length, 'error');
  return Object.assign(error, { code, severity: 'ERROR', ...place });
}

/** What Postgres would do and this engine does not: said at once, never guessed. */
export class NotKnown extends Error {
  override readonly name = 'NotKnown';

  /** With the statement. */
  of(text: string): NotKnown {
    return this.message.includes('\n') ? this : new NotKnown(`${this.message}\n${text}`, { cause: this });
  }
}

export function notKnown(what: string): never {
  throw new NotKnown(`not known in memory: ${what}`);
}
