/** A log that keeps its lines instead of writing them. */
export interface RecordedLog {
  readonly lines: { readonly level: 'info' | 'warn' | 'error'; readonly fields: object; readonly text: string }[];
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export function quietLog(): RecordedLog {
  const lines: RecordedLog['lines'] = [];
  return {
    lines,
    info: (fields, text) => lines.push({ level: 'info', fields, text }),
    warn: (fields, text) => lines.push({ level: 'warn', fields, text }),
    error: (fields, text) => lines.push({ level: 'error', fields, text }),
  };
}
