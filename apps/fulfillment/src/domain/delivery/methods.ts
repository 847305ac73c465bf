/** The ways to deliver, by the name that the catalogue gives them. */
import type { DeliveryItem, DeliveryMethod } from './method.ts';
import { pool } from './pool.ts';

export const methods: Readonly<Record<DeliveryItem['method'], DeliveryMethod>> = { pool };

export function isMethod(name: string): name is DeliveryItem['method'] {
  return Object.hasOwn(methods, name);
}
