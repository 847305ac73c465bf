/** What the simulator's histories travel on keeps the promises of those that it stands for. */
import { randomInt } from 'node:crypto';
import { Broker, carrierOf } from '@tillstream/testkit/simulator/carrier';
import { runAs } from '@tillstream/testkit/simulator/engine/owner';
import { describeCarrier } from './carrier-contract.ts';

describeCarrier('simulated', async () => {
  // Nobody decides who is next: everything takes effect a turn of the loop later.
  const broker = new Broker({
    point: async ({ act }) => {
      await new Promise((resolve) => setImmediate(resolve));
      return act();
    },
    below: (below) => randomInt(below),
  });
  return {
    open: () => carrierOf(broker),
    member: async (topic, group) => {
      const process = { name: 'member', isAlive: true };
      const taken = Promise.withResolvers<void>();
      await runAs(process, () =>
        carrierOf(broker).subscribe({
          group,
          topics: [topic],
          handle: () => {
            taken.resolve();
            return new Promise(() => undefined);
          },
        }),
      );
      return {
        hasTaken: taken.promise,
        kill: () => {
          process.isAlive = false;
          broker.deal(broker.groupOf(group));
        },
      };
    },
    stop: async () => undefined,
  };
});
