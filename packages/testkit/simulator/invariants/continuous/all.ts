/** The sentences that are judged while a history goes on. */
import type { Entry } from '../../outside/books.ts';
import { watchMoney } from './money.ts';
import { watchPaths } from './paths.ts';
import { Tenants, watchTenants } from './tenants.ts';
import { Watch } from './watch.ts';

export interface Continuous {
  readonly watch: Watch;
  readonly tenants: Tenants;
  /** The provider has written something into its books. */
  readonly taken: (entry: Entry) => void;
}

/** `where`: which operation is under way, in words. */
export function watchAll(where: () => string): Continuous {
  const tenants = new Tenants();
  const money = watchMoney();
  const watch = new Watch([...money.judges, watchPaths(), watchTenants(tenants)], where);
  const taken = (entry: Entry): void => {
    money.taken(entry);
    watch.settle();
  };
  return { watch, tenants, taken };
}
