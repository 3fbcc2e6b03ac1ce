/** A server-sent event. */
export interface ServerEvent {
  readonly type: string;
  readonly data: string;
  /** The last `id:` seen, to resume from. */
  readonly lastId: string;
}

/** Reads text/event-stream (WHATWG HTML 9.2.6) from text that arrives in pieces. */
export class EventParser {
  #rest = '';
  #type = '';
  #data: string[] = [];
  #lastId = '';

  /** The events that end in this piece. */
  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const whole = this.#rest + text;
    // A carriage return at the very end may be half of CR LF: it waits for the next piece.
    const usable = whole.endsWith('\r') ? whole.length - 1 : whole.length;
    const lines = whole.slice(0, usable).split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? '') + whole.slice(usable);
    for (const line of lines) {
      if (line !== '') this.#field(line);
      else if (this.#data.length > 0) {
        events.push({
          type: this.#type === '' ? 'message' : this.#type,
          data: this.#data.join('\n'),
          lastId: this.#lastId,
        });
      }
      if (line === '') {
        this.#type = '';
        this.#data = [];
      }
    }
    return events;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#type = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.#lastId = value;
  }
}
