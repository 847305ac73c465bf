/**
 * What a state machine is. A machine is pure: time, ids and everything it cannot know arrive in the command or in the
 * state; it never waits, reads a clock or throws for an expected outcome.
 */

/** The three answers to a command. */
export type Decision<Event, Refusal extends string> =
  | { readonly answer: 'accepted'; readonly events: readonly Event[] }
  /** Already so, or too late to matter: a redelivered message lands here. */
  | { readonly answer: 'ignored'; readonly because: string }
  /** The asker is wrong and should hear it. */
  | { readonly answer: 'refused'; readonly reason: Refusal };

export interface Machine<State, Command, Event, Refusal extends string> {
  /** The state of an aggregate that does not exist yet. */
  readonly absent: State;
  decide(state: State, command: Command): Decision<Event, Refusal>;
  /** Must accept every event that `decide` produced from this state. */
  evolve(state: State, event: Event): State;
}

export function accept<Event>(...events: readonly Event[]): Decision<Event, never> {
  return { answer: 'accepted', events };
}

export function ignore(because: string): Decision<never, never> {
  return { answer: 'ignored', because };
}

export function refuse<Refusal extends string>(reason: Refusal): Decision<never, Refusal> {
  return { answer: 'refused', reason };
}

/** The state after the events, oldest first. */
export function evolveAll<State, Event>(
  machine: { evolve(state: State, event: Event): State },
  state: State,
  events: readonly Event[],
): State {
  return events.reduce((before, event) => machine.evolve(before, event), state);
}

/** Ends every switch: a case that was forgotten does not compile. */
export function unreachable(x: never): never {
  throw new Error(`unreachable: ${JSON.stringify(x)}`);
}
