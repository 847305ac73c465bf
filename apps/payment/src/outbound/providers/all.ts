/** The providers that this installation has: one line each. A folder that is not here is one that no test runs. */
import type { Config } from '../../config.ts';
import type { ProviderKind } from '../../ports.ts';
import { sandbox } from './sandbox/sandbox.ts';

/** By their names. A provider that is not configured is left out. */
export function allProviders(config: Config): ReadonlyMap<string, ProviderKind> {
  const kinds = [sandbox(config)];
  return new Map(kinds.flatMap((kind) => (kind === undefined ? [] : [[kind.name, kind] as const])));
}
