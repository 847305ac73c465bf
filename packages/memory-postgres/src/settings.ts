/** The values of settings, as they are written in `set`. */
import type { Node } from 'libpg-query';
import { textOf } from './syntax.ts';

export function settingOf(args: readonly Node[]): string {
  const words = args.map((arg) => {
    if (!('A_Const' in arg)) return textOf(arg);
    const { sval, ival, boolval, fval } = arg.A_Const;
    if (sval !== undefined) return sval.sval ?? '';
    if (boolval !== undefined) return boolval.boolval === true ? 'on' : 'off';
    return fval?.fval ?? String(ival?.ival ?? 0);
  });
  return words.join(', ');
}

/** `10s`, `500ms`, `0`. */
export function millisecondsOf(text: string): number {
  const [, number = '0', unit = 'ms'] = /^(\d+)\s*(ms|s|min)?$/.exec(text) ?? [];
  return Number(number) * (unit === 's' ? 1_000 : unit === 'min' ? 60_000 : 1);
}
