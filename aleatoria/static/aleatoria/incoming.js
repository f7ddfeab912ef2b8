import { addressOf, conversationKey } from "./address.js";
import { SECOND } from "./connection.js";
import { fillGap } from "./history.js";
import { Refused } from "./requests.js";

/** @import { Client, Connection, Emitter, ErrorPayload, Frame, Outbox, Requests } from "./types.d.ts" */

/** Applies the server's frames to a client. */
export class Incoming {
  /**
   * @param {Client} client @param {Connection} connection @param {Outbox} outbox @param {Requests} requests
   * @param {Emitter["emit"]} emit
   */
  constructor(client, connection, outbox, requests, emit) {
    this.client = client;
    this.connection = connection;
    this.outbox = outbox;
    this.requests = requests;
    this.emit = emit;
  }

  /** @param {Frame} frame */
  receive(frame) {
    const { type, payload } = frame;
    if (type === "chat_message") this.#addMessage(frame);
    else if (type === "welcome") this.#open(payload);
    else if (type === "error") this.#handleError(payload);
    else if (type === "user_status") this.emit("status", payload);
    else if (type === "typing") this.emit("typing", frame);
    else if (type === "server_status") this.#setDegraded(payload.degraded);
    else {
      if (type === "room_left") this.#removeRoom(payload.room);
      const isAnswer = this.requests.answer(type, payload);
      if (!isAnswer && type !== "room_left") this.emit("signal", frame);
    }
  }

  /** @param {any} welcome the answer to each `hello` */
  #open({ userId, iceServers, degraded, rooms }) {
    const { client, connection } = this;
    const isNew = connection.state !== "open";
    client.userId = userId;
    client.iceServers = iceServers;
    this.#setDegraded(degraded);
    if (isNew) client.rooms = new Set(rooms);
    connection.markOpen();
    if (!isNew) return;
    this.emit("rooms", client.rooms);
    this.outbox.sendNext();
    for (const conversation of client.conversations.values())
      fillGap(this.requests, conversation, (message) => this.#addMessage(message));
  }

  /** @param {ErrorPayload} payload */
  #handleError({ error, code, inReplyTo = "", retryAfter }) {
    const message = this.outbox.get(inReplyTo);
    const isRequest = this.requests.has(inReplyTo);
    if (retryAfter !== undefined && (message || isRequest))
      setTimeout(() => (message ? this.outbox : this.requests).resend(inReplyTo), retryAfter * SECOND);
    else if (isRequest) this.requests.refuse(inReplyTo, new Refused(error, code));
    else if (message) this.#failMessage(message, error);
    else this.emit("problem", error);
  }

  /** @param {Frame} message @param {string} reason */
  #failMessage({ room, toUser, messageId = "" }, reason) {
    this.outbox.settle(messageId);
    const { userId } = this.client;
    const conversation = this.client.conversation(addressOf({ room, toUser, fromUser: userId }, userId));
    conversation.markFailed(messageId, reason);
    this.emit("change", conversation);
  }

  /** @param {Frame} message */
  #addMessage(message) {
    const { userId } = this.client;
    const { fromUser, messageId = "" } = message;
    if (fromUser === userId && this.outbox.get(messageId)) this.outbox.settle(messageId);
    const conversation = this.client.conversation(addressOf(message, userId));
    if (!conversation.add(message)) return;
    this.emit("message", { conversation, message });
    this.emit("change", conversation);
  }

  /** @param {string} room */
  #removeRoom(room) {
    const { rooms, conversations } = this.client;
    rooms.delete(room);
    conversations.delete(conversationKey({ room }));
    this.emit("rooms", rooms);
  }

  /** @param {boolean} degraded */
  #setDegraded(degraded) {
    if (degraded === this.client.degraded) return;
    this.client.degraded = degraded;
    this.emit("degraded", degraded);
  }
}
