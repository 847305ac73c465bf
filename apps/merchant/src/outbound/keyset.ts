/** Keyset paging, newest first: the place in a list is an id, never a count. */
export interface PageQuery {
  readonly limit: number;
  readonly startingAfter: string;
  readonly endingBefore: string;
}

export interface Keyset<Id> {
  readonly after: Id | undefined;
  readonly before: Id | undefined;
  readonly isBackward: boolean;
  readonly limit: number;
}

export function keyset<Id>(page: PageQuery, read: (id: string) => Id): Keyset<Id> {
  const isBackward = page.endingBefore !== '' && page.startingAfter === '';
  return {
    after: page.startingAfter === '' ? undefined : read(page.startingAfter),
    before: isBackward ? read(page.endingBefore) : undefined,
    isBackward,
    limit: Math.min(Math.max(page.limit, 1), 100),
  };
}
