// @ts-check
/** What was said in a room or between two users: in the order of time, each message once, one's own pending ones last. */

/** @typedef {import("./client.js").Frame} Frame */
/** @typedef {Frame & { pending?: boolean, failed?: string }} Message */
/** @typedef {{ messages: Frame[], hasMore: boolean, cursor?: string }} Page */

/** @param {Frame} message */
export const keyOf = ({ fromUser, messageId }) => `${fromUser} ${messageId}`;

export class Conversation {
  /** In order. @type {Message[]} */
  messages = [];
  /** Whether the last page has been asked for. */
  isLoaded = false;
  /** Whether there is more before the oldest. */
  hasMore = true;
  /** @type {string | undefined} */
  cursor;
  loading = false;
  /** The createTime of the newest message; what came later is a gap after a reconnect. */
  newest = "";

  /** @type {Map<string, Message>} */
  #known = new Map();

  /** @param {string} key @param {import("./client.js").Address} address */
  constructor(key, address) {
    this.key = key;
    this.address = address;
  }

  /** Put in what was said; false when it was in. @param {Frame} message */
  add(message) {
    const known = this.#known.get(keyOf(message));
    if (known && !known.pending && !known.failed) return false;
    if (known) this.messages.splice(this.messages.indexOf(known), 1);
    const { createTime = "" } = message;
    let place = this.messages.length;
    while (place > 0 && isLater(this.messages[place - 1], createTime)) place -= 1;
    this.messages.splice(place, 0, message);
    this.#known.set(keyOf(message), message);
    if (createTime > this.newest) this.newest = createTime;
    return true;
  }

  /** Put in an older page, as the server gave it. @param {Page} page */
  addOlder({ messages, hasMore, cursor }) {
    const older = messages.filter((message) => !this.#known.has(keyOf(message)));
    for (const message of older) this.#known.set(keyOf(message), message);
    older.sort((one, other) => ((one.createTime ?? "") < (other.createTime ?? "") ? -1 : 1));
    // Mostly they all go before the first; what has arrived live meanwhile may be older than some.
    this.messages = [...older, ...this.messages].sort(byTime);
    this.isLoaded = true;
    this.hasMore = hasMore;
    this.cursor = cursor ?? this.cursor;
    const last = older.at(-1)?.createTime ?? "";
    if (last > this.newest) this.newest = last;
  }

  /** Put in a message of one's own that is on its way. @param {Frame} message */
  expect(message) {
    const known = this.#known.get(keyOf(message));
    if (known) this.messages.splice(this.messages.indexOf(known), 1);
    const pending = { ...message, pending: true };
    this.#known.set(keyOf(message), pending);
    this.messages.push(pending);
  }

  /** A message of one's own was refused. @param {string} messageId @param {string} reason */
  fail(messageId, reason) {
    const message = this.messages.find((one) => one.messageId === messageId && one.pending);
    if (!message) return;
    delete message.pending;
    message.failed = reason;
  }

  /** Take out a message that was refused. @param {Message} message */
  drop(message) {
    this.messages.splice(this.messages.indexOf(message), 1);
    this.#known.delete(keyOf(message));
  }
}

/** Whether a message stands behind a moment: what is on its way always does. @param {Message} message @param {string} createTime */
function isLater(message, createTime) {
  return !message.createTime || message.createTime > createTime;
}

/** @param {Message} one @param {Message} other */
function byTime(one, other) {
  if (!one.createTime || !other.createTime) return Number(!one.createTime) - Number(!other.createTime);
  return one.createTime < other.createTime ? -1 : Number(one.createTime > other.createTime);
}
