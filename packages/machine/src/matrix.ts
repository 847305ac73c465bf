/**
 * The specification of a machine: every status × every command type. A missing cell does not compile; the pictures in
 * docs/states/ are drawn from it; `checkMatrix` proves that the machine does what it says.
 */
import type { Decision, Machine } from './machine.ts';
import { evolveAll } from './machine.ts';

/** The status after the command, or why nothing happens. Several outcomes of one cell (depending on data) are a list. */
export type Outcome<Status extends string, Refusal extends string> = Status | 'ignored' | `refused: ${Refusal}`;

export type Matrix<Status extends string, CommandType extends string, Refusal extends string> = {
  readonly [S in Status]: {
    readonly [C in CommandType]: Outcome<Status, Refusal> | readonly Outcome<Status, Refusal>[];
  };
};

/** What the machine does with this command in this state, in the words of the matrix. */
export function outcomeOf<State extends { readonly status: string }, Command, Event, Refusal extends string>(
  machine: Machine<State, Command, Event, Refusal>,
  state: State,
  command: Command,
): string {
  const decision: Decision<Event, Refusal> = machine.decide(state, command);
  switch (decision.answer) {
    case 'accepted':
      return evolveAll(machine, state, decision.events).status;
    case 'ignored':
      return 'ignored';
    case 'refused':
      return `refused: ${decision.reason}`;
  }
}

/** One matrix as data: what the generated pictures and the tests iterate over. */
export function cellsOf<S extends string, C extends string, R extends string>(
  matrix: Matrix<S, C, R>,
): readonly { readonly status: string; readonly command: string; readonly outcomes: readonly string[] }[] {
  return Object.entries<Matrix<S, C, R>[S]>(matrix).flatMap(([status, row]) =>
    Object.entries<Outcome<S, R> | readonly Outcome<S, R>[]>(row).map(([command, cell]) => ({
      status,
      command,
      outcomes: typeof cell === 'string' ? [cell] : [...cell],
    })),
  );
}
