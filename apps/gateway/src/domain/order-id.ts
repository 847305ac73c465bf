/** Look-ups take the order's number and its name, A and ten digits (D3). */
const form = /^(?:A([0-9]{10,15})|([1-9][0-9]{0,14}))$/;

/** Undefined for what cannot be an order. Fifteen digits fit every number type on the way. */
export function readOrderId(text: string): bigint | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const id = BigInt(match[1] ?? match[2] ?? '0');
  return id === 0n ? undefined : id;
}
