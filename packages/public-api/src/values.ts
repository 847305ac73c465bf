/** What several objects of the public API are made of: money, instants, metadata. */
import { z } from 'zod';

const whole = { type: 'integer' } as const;

/** An amount in an answer or an event; `amount` is in minor units, such as cents. */
export const moneyOut = z.object({ amount: z.number().meta(whole), currency: z.string() }).meta({ id: 'Money' });

export type Money = z.infer<typeof moneyOut>;

export function moneyOf(minor: bigint, currency: string): Money {
  return { amount: Number(minor), currency };
}

export const wholeNumber = z.number().meta(whole);
export const instant = z.string().meta({ format: 'date-time' });

export function instantOf(date: Date): string;
export function instantOf(date: Date | undefined): string | null;
export function instantOf(date: Date | undefined): string | null {
  return date === undefined ? null : date.toISOString();
}

/** Of an object that always has this time; the wire message cannot promise it. */
export function madeAt(date: Date | undefined): string {
  return (date ?? new Date(0)).toISOString();
}

export const metadataOut = z.record(z.string(), z.string());

export const textOrNull = (text: string): string | null => (text === '' ? null : text);

/** `sub_` and the seed's id, which is `{parent order}_{order item}`. */
export function publicSubscriptionId(seedId: string): string {
  return `sub_${seedId}`;
}
