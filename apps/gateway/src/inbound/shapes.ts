/** Shapes of requests and lists that several nouns share. What answers are made of is in @tillstream/public-api. */
import { isCurrency } from '@tillstream/money/money';
import { z } from 'zod';
import { isOptionalBody } from './http/documentation.ts';
import { problemShape } from './http/problems.ts';

/** In: an amount that is given. */
export const moneyIn = z.strictObject({
  amount: z.int().min(1).max(1_000_000_000_000).describe('In minor units, such as cents.'),
  currency: z.string().refine(isCurrency, 'An ISO 4217 code in capitals, such as EUR.').describe('ISO 4217'),
});

export const metadataIn = z
  .record(z.string(), z.string().max(500))
  .refine((entries) => Object.keys(entries).length <= 50, 'At most 50 entries.')
  .describe('Yours: at most 50 entries, keys to 40 and values to 500 characters.');

const pageFields = {
  limit: z.coerce.number().int().min(1).max(100).default(20).describe('1 to 100'),
  starting_after: z.string().min(1).max(255).optional().describe('The id after which the page begins (older).'),
  ending_before: z.string().min(1).max(255).optional().describe('The id before which the page ends (newer).'),
};

/** A strict query: paging and the filters of the list. */
export function pageQuery<Filters extends z.ZodRawShape>(filters: Filters) {
  return z.strictObject({ ...pageFields, ...filters });
}

export interface PageAsked {
  readonly limit: number;
  readonly starting_after?: string | undefined;
  readonly ending_before?: string | undefined;
}

export function pageOf(query: PageAsked): { limit: number; startingAfter: string; endingBefore: string } {
  return { limit: query.limit, startingAfter: query.starting_after ?? '', endingBefore: query.ending_before ?? '' };
}

export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ object: z.literal('list'), data: z.array(item), has_more: z.boolean() });
}

export function list<Item>(data: Item[], hasMore: boolean): { object: 'list'; data: Item[]; has_more: boolean } {
  return { object: 'list', data, has_more: hasMore };
}

/** A body that may be left out: what is not there reaches a schema as null. The document says so by the mark. */
export function optionalBody<Fields extends z.ZodRawShape>(fields: Fields) {
  return z.preprocess((body) => body ?? {}, z.strictObject(fields)).meta({ [isOptionalBody]: true });
}

const problem = { description: 'Problem', content: { 'application/problem+json': { schema: problemShape } } };

/** What every operation may answer besides its success. */
export const problems = { '4xx': problem, '5xx': problem };

const apiKey = [{ apiKey: [] }];

/** The words of an operation in the document. */
export function says(
  tag: 'Merchant' | 'Products' | 'Orders' | 'Payments' | 'Subscriptions' | 'Webhooks' | 'Test clock',
  operationId: string,
  summary: string,
  description?: string,
) {
  return { tags: [tag], operationId, summary, security: apiKey, ...(description === undefined ? {} : { description }) };
}
