/**
 * A client of Aleatoria's protocol: it reconnects after a loss, sends a message until the server acknowledges it, and
 * keeps conversations in order, without gaps or duplicates. See README.md and docs/protocol.md.
 */

import { addressOf, conversationKey } from "./address.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Emitter } from "./emitter.js";
import { loadOlderPage } from "./history.js";
import { Incoming } from "./incoming.js";
import { Outbox } from "./outbox.js";
import { Requests } from "./requests.js";

/** @import { Address, Direct, Frame, Member, Options } from "./types.d.ts" */

export { addressOf } from "./address.js";
export { Refused } from "./requests.js";

export class Client {
  /** The user's id; "" before the first connection. */
  userId = "";
  /** The rooms that the user is in. @type {Set<string>} */
  rooms = new Set();
  /** @type {RTCIceServer[]} */
  iceServers = [];
  /** Whether the server is cut off from its store. */
  degraded = false;
  /** By key. @type {Map<string, Conversation>} */
  conversations = new Map();

  #emitter = new Emitter();
  #connection;
  #outbox;
  #requests;

  /** @param {Options} options */
  constructor({
    url,
    events = ["presence", "typing", "status"],
    WebSocket = globalThis.WebSocket,
    random = Math.random,
  }) {
    this.url = url;
    this.events = events;
    this.WebSocket = WebSocket;
    this.random = random;
    const { emit } = this.#emitter;
    const connection = new Connection(this, {
      onState: (state) => emit("state", state),
      onFrame: (frame) => incoming.receive(frame),
      onLost: () => {
        outbox.release();
        requests.refuseAll();
      },
    });
    const outbox = new Outbox(connection);
    const requests = new Requests(connection);
    const incoming = new Incoming(this, connection, outbox, requests, emit);
    this.#connection = connection;
    this.#outbox = outbox;
    this.#requests = requests;
  }

  get state() {
    return this.#connection.state;
  }

  /**
   * Calls `listener` on each event of a kind: `state`, `message` (new in a conversation), `change` (of a conversation),
   * `rooms`, `status` (a user has come online or gone offline), `typing`, `degraded`, `signal` (of a call), `problem`
   * (a text for the user). Returns a function that removes the listener.
   * @param {string} kind @param {(event: any) => void} listener
   */
  on(kind, listener) {
    return this.#emitter.on(kind, listener);
  }

  /** Connects, and reconnects after each loss. */
  start() {
    this.#connection.start();
  }

  /** Disconnects for good. */
  stop() {
    this.#connection.stop();
  }

  /** Reconnects now if the client waits before the next attempt. Does nothing in a hidden page. */
  hurry = () => this.#connection.retryNow();

  /**
   * Sends a message until the server acknowledges it, over as many connections as that takes; it counts once.
   * Returns its messageId. The message is in its conversation at once, as pending.
   * @param {Address} to @param {string} content
   */
  say(to, content) {
    const frame = { type: "chat_message", ...to, messageId: crypto.randomUUID(), payload: { content } };
    this.#queue(frame, to);
    return frame.messageId;
  }

  /** Sends a message again that the server has refused. @param {Frame} message */
  sayAgain({ fromUser: _, ...frame }) {
    this.#queue(frame, addressOf({ ...frame, fromUser: this.userId }, this.userId));
  }

  /** @param {Frame} frame @param {Address} to */
  #queue(frame, to) {
    this.#outbox.add(frame);
    const conversation = this.conversation(to);
    conversation.addPending({ ...frame, fromUser: this.userId });
    this.#emitter.emit("change", conversation);
    this.#outbox.sendNext();
  }

  /**
   * Sends a frame that the server does not answer, if the connection is open; returns whether it is.
   * @param {string} type @param {Partial<Frame>} [fields]
   */
  send(type, fields = {}) {
    return this.#connection.send({ type, ...fields });
  }

  /** Joins a room; returns its name as the server spells it. @param {string} room @returns {Promise<string>} */
  async join(room) {
    const joined = await this.#requests.ask({ type: "join_room", room }, "room_joined");
    this.rooms.add(joined.room);
    this.#emitter.emit("rooms", this.rooms);
    return joined.room;
  }

  /** @param {string} room */
  async leave(room) {
    await this.#requests.ask({ type: "leave_room", room }, "room_left", room);
  }

  /** @param {string} room @returns {Promise<Member[]>} */
  async members(room) {
    return (await this.#requests.ask({ type: "get_members", room }, "members_list", room)).members;
  }

  /** Returns the direct conversations. @returns {Promise<Direct[]>} */
  async directs() {
    return (await this.#requests.ask({ type: "get_conversations" }, "conversations_list")).conversations;
  }

  /** Tells the server that the user has read what `withUser` wrote. @param {string} withUser */
  markRead(withUser) {
    this.send("mark_read", { payload: { withUser } });
  }

  /** Loads the next older page; returns whether there are more. @param {Conversation} conversation */
  async loadOlder(conversation) {
    if (!conversation.canLoadOlder) return conversation.hasMore;
    await loadOlderPage(this.#requests, conversation);
    this.#emitter.emit("change", conversation);
    return conversation.hasMore;
  }

  /** Returns the conversation at an address; the first call makes it. @param {Address} address */
  conversation(address) {
    const key = conversationKey(address);
    let found = this.conversations.get(key);
    if (!found) {
      found = new Conversation(address);
      this.conversations.set(key, found);
    }
    return found;
  }
}
