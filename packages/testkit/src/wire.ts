/** Messages of the protos for tests. The generated code has no partial constructors, because no service calls one. */

interface MessageType<Message> {
  decode(input: Uint8Array): Message;
}

/** The message with the given fields; every other field has the default that an empty message has. */
export function messageOf<Message extends object>(
  type: MessageType<Message>,
  fields: Partial<NoInfer<Message>> = {},
): Message {
  return { ...type.decode(new Uint8Array()), ...fields };
}
