/** What a person can mend: its message is one or two sentences for them, to be shown without a stack trace. */
export class EmbeddedRefusal extends Error {
  override readonly name = 'EmbeddedRefusal';
}
