import { Refused, type RefusalCode } from '@tillstream/rpc/refusals';

/** What a service answered; an object that is absent from the answer is refused with the code. */
export function found<T>(value: T | undefined, code: RefusalCode): T {
  if (value === undefined) throw new Refused(code);
  return value;
}
