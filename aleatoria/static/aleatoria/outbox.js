/** @import { Connection, Frame } from "./types.d.ts" */

/** Messages that the server has not acknowledged. They are sent one at a time, so that they arrive in order. */
export class Outbox {
  /** By messageId. @type {Map<string, Frame>} */
  #waiting = new Map();
  /** The messageId of the message that is on its way, or "". */
  #inFlight = "";

  /** @param {Connection} connection */
  constructor(connection) {
    this.connection = connection;
  }

  /** @param {Frame} message */
  add(message) {
    this.#waiting.set(message.messageId ?? "", message);
  }

  /** @param {string} messageId */
  get(messageId) {
    return this.#waiting.get(messageId);
  }

  /** Sends the first message, unless one is on its way. */
  sendNext() {
    const [next] = this.#waiting.values();
    if (!next || this.#inFlight || this.connection.state !== "open") return;
    this.#inFlight = next.messageId ?? "";
    this.connection.send(next);
  }

  /** Removes a message that the server has acknowledged or refused. @param {string} messageId */
  settle(messageId) {
    this.#waiting.delete(messageId);
    if (this.#inFlight === messageId) this.#inFlight = "";
    this.sendNext();
  }

  /** Sends a message again that the server has put off. @param {string} messageId */
  resend(messageId) {
    const message = this.#waiting.get(messageId);
    if (message) this.connection.send(message);
  }

  /** The connection is lost: `sendNext` sends the first message again. */
  release() {
    this.#inFlight = "";
  }
}
