import { conversationKey } from "./address.js";

/** @import { Address, Frame, Message, Page } from "./types.d.ts" */

/** An id is unique only among the messages of one user. @param {Frame} message */
export const messageKey = ({ fromUser, messageId }) => `${fromUser} ${messageId}`;

/** Messages in order of time, without duplicates. The user's pending messages come last. */
export class Conversation {
  /** @type {Message[]} */
  messages = [];
  /** Whether the newest page has been loaded. */
  isLoaded = false;
  /** Whether the server has older messages. */
  hasMore = true;
  /** Where the next older page begins. @type {string | undefined} */
  cursor;
  loading = false;
  /** The createTime of the newest message. */
  newest = "";

  /** By key of the message. @type {Map<string, Message>} */
  #known = new Map();

  /** @param {Address} address */
  constructor(address) {
    this.key = conversationKey(address);
    this.address = address;
  }

  get canLoadOlder() {
    return !this.loading && (!this.isLoaded || this.hasMore);
  }

  /** Adds a message; returns false if it was known. @param {Frame} message */
  add(message) {
    const known = this.#known.get(messageKey(message));
    if (known && !known.pending && !known.failed) return false;
    if (known) this.remove(known);
    const { createTime = "" } = message;
    let place = this.messages.length;
    while (place > 0 && isLater(this.messages[place - 1], createTime)) place -= 1;
    this.messages.splice(place, 0, message);
    this.#known.set(messageKey(message), message);
    if (createTime > this.newest) this.newest = createTime;
    return true;
  }

  /** Adds an older page, as the server sent it. @param {Page} page */
  addOlder({ messages, hasMore, cursor }) {
    const older = messages.filter((message) => !this.#known.has(messageKey(message)));
    for (const message of older) this.#known.set(messageKey(message), message);
    older.sort(byTime);
    // A message that has arrived meanwhile may be older than some of these.
    this.messages = [...older, ...this.messages].sort(byTime);
    this.isLoaded = true;
    this.hasMore = hasMore;
    this.cursor = cursor ?? this.cursor;
    const last = older.at(-1)?.createTime ?? "";
    if (last > this.newest) this.newest = last;
  }

  /** Adds a message that the server has not acknowledged. @param {Frame} message */
  addPending(message) {
    const known = this.#known.get(messageKey(message));
    if (known) this.remove(known);
    const pending = { ...message, pending: true };
    this.#known.set(messageKey(message), pending);
    this.messages.push(pending);
  }

  /** Marks a pending message as refused. @param {string} messageId @param {string} reason */
  markFailed(messageId, reason) {
    const message = this.messages.find((one) => one.messageId === messageId && one.pending);
    if (!message) return;
    delete message.pending;
    message.failed = reason;
  }

  /** @param {Message} message */
  remove(message) {
    this.messages.splice(this.messages.indexOf(message), 1);
    this.#known.delete(messageKey(message));
  }
}

/** A pending message is always later. @param {Message} message @param {string} createTime */
function isLater(message, createTime) {
  return !message.createTime || message.createTime > createTime;
}

/** @param {Message} one @param {Message} other */
function byTime(one, other) {
  if (!one.createTime || !other.createTime) return Number(!one.createTime) - Number(!other.createTime);
  return one.createTime < other.createTime ? -1 : Number(one.createTime > other.createTime);
}
