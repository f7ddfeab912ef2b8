import { ANSWER_TIMEOUT } from "./connection.js";

/** @import { Connection, Frame, PendingRequest } from "./types.d.ts" */

/** The server refused a request, or could not be asked (`code` "away"). The text is for the user. */
export class Refused extends Error {
  /** @param {string} text @param {string} code */
  constructor(text, code) {
    super(text);
    this.code = code;
  }
}

/** Requests that the server has not answered. */
export class Requests {
  /** In order, by messageId. @type {Map<string, PendingRequest>} */
  #pending = new Map();

  /** @param {Connection} connection */
  constructor(connection) {
    this.connection = connection;
  }

  /**
   * Sends a request; returns the payload of its answer. Rejects with `Refused`.
   * @param {Frame} frame @param {string} answer @param {string} [about] @returns {Promise<any>}
   */
  ask(frame, answer, about = "") {
    if (this.connection.state !== "open") return Promise.reject(new Refused("There is no connection.", "away"));
    const messageId = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(this.connection.drop, ANSWER_TIMEOUT);
      this.#pending.set(messageId, { frame: { ...frame, messageId }, answer, about, resolve, reject, timer });
      this.resend(messageId);
    });
  }

  /** @param {string} messageId */
  has(messageId) {
    return this.#pending.has(messageId);
  }

  /** Resolves the oldest request of which this is the answer. @param {string} type @param {any} payload */
  answer(type, payload) {
    for (const [messageId, { answer, about, resolve }] of this.#pending) {
      if (answer !== type || (about && about !== (payload.room ?? payload.withUser))) continue;
      this.#remove(messageId);
      resolve(payload);
      return true;
    }
    return false;
  }

  /** @param {string} messageId @param {Refused} refusal */
  refuse(messageId, refusal) {
    this.#remove(messageId)?.reject(refusal);
  }

  /** The connection is lost. */
  refuseAll() {
    for (const messageId of this.#pending.keys())
      this.refuse(messageId, new Refused("The connection was lost.", "away"));
  }

  /** Sends a request again that the server has put off. @param {string} messageId */
  resend(messageId) {
    const request = this.#pending.get(messageId);
    if (request) this.connection.send(request.frame);
  }

  /** @param {string} messageId */
  #remove(messageId) {
    const request = this.#pending.get(messageId);
    clearTimeout(request?.timer);
    this.#pending.delete(messageId);
    return request;
  }
}
