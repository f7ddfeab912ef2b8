// @ts-check
/** A conversation on the page: what was said, back to its beginning as one scrolls up, and where one writes. */

import { keyOf } from "../aleatoria/conversation.js";
import { dayText, element, find, nameOf, nameTag, spoken, timeText } from "../aleatoria/text.js";

/** @typedef {import("../aleatoria/client.js").Client} Client */
/** @typedef {import("../aleatoria/client.js").Frame} Frame */
/** @typedef {import("../aleatoria/conversation.js").Conversation} Conversation */
/** @typedef {import("../aleatoria/conversation.js").Message} Message */
/** @typedef {HTMLLIElement & { message?: Message }} Line */

/** So near to the end one wants to stay there. */
const NEAR = 80;
/** What one user says in one go has his name above it once. */
const CONTINUED = 5 * 60_000;
const TYPING_EVERY = 3000;
const TYPING_LASTS = 5000;

export class Talk extends HTMLElement {
  /** @type {Client | null} */
  client = null;
  /** @type {Conversation | null} */
  conversation = null;

  /** By key of the message. @type {Map<string, Line>} */
  #lines = new Map();
  /** What was typed and not sent, by key of the conversation. @type {Map<string, string>} */
  #drafts = new Map();
  /** Who is typing, by key of the conversation: user and until when. @type {Map<string, Map<string, number>>} */
  #typing = new Map();
  #lastTyped = 0;
  #frame = 0;
  #isAtEnd = true;

  connectedCallback() {
    if (this.childElementCount) return;
    this.more = element("p", { className: "more" });
    this.list = element("ol");
    this.log = element("div", { className: "log", role: "log", tabIndex: 0, ariaLabel: "Messages" }, this.more, this.list);
    this.down = element("button", { type: "button", className: "down", hidden: true }, "New messages ↓");
    this.hint = element("p", { className: "hint", role: "status" });
    this.input = element("textarea", { rows: 1, maxLength: 4000, placeholder: "Write a message", ariaLabel: "Message" });
    this.form = element("form", { className: "composer" }, this.input, element("button", { type: "submit" }, "Send"));
    this.append(this.log, this.down, this.hint, this.form);
    this.log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.down.addEventListener("click", () => this.#goToEnd());
    this.input.addEventListener("input", () => this.#typed());
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.form?.requestSubmit();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    new IntersectionObserver((seen) => seen.at(-1)?.isIntersecting && this.#loadOlder(), { root: this.log }).observe(this.more);
    new ResizeObserver(() => this.#isAtEnd && this.#goToEnd()).observe(this.log);
  }

  /** @param {Client} client */
  attach(client) {
    this.client = client;
    client.on("change", (conversation) => conversation === this.conversation && this.#renderSoon());
    client.on("state", (state) => state === "open" && this.#loadFirst());
    client.on("typing", (frame) => this.#seeTyping(frame));
    client.on("message", ({ conversation, message }) => {
      this.#typing.get(conversation.key)?.delete(message.fromUser);
      this.#showTyping();
    });
  }

  /** @param {Conversation | null} conversation */
  show(conversation) {
    if (!this.input || !this.log) return;
    if (conversation !== this.conversation) {
      if (this.conversation) this.#drafts.set(this.conversation.key, this.input.value);
      this.conversation = conversation;
      for (const line of this.#lines.values()) line.remove();
      this.#lines.clear();
      this.input.value = this.#drafts.get(conversation?.key ?? "") ?? "";
      this.#fitInput();
      this.#isAtEnd = true;
    }
    this.hidden = !conversation;
    this.#render();
    this.#showTyping();
    this.#loadFirst();
  }

  async #loadFirst() {
    if (this.conversation && !this.conversation.isLoaded) await this.#loadOlder();
  }

  async #loadOlder() {
    const { client, conversation } = this;
    if (!client || !conversation || client.state !== "open" || conversation.loading) return;
    try {
      await client.loadOlder(conversation);
    } catch {
      return; // Away, or not a member any more: what is shown is what there is.
    }
    this.#render();
    if (conversation.hasMore && this.#showsBeginning()) await this.#loadOlder();
  }

  /** Whether one sees the place where older messages go: a page may be shorter than the screen. */
  #showsBeginning() {
    const [log, more] = [this.log, this.more].map((one) => one?.getBoundingClientRect());
    return Boolean(log && more && more.bottom > log.top && log.height);
  }

  // What was said

  #renderSoon() {
    this.#frame ||= requestAnimationFrame(() => this.#render());
  }

  #render() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { conversation, log, list, more } = this;
    if (!conversation || !log || !list || !more) return;
    const before = { height: log.scrollHeight, top: log.scrollTop };
    const first = list.firstElementChild;
    let place = first;
    /** @type {Message | undefined} */
    let previous;
    const gone = new Set(this.#lines.keys());
    // Older pages are read by who scrolls, not announced.
    log.ariaLive = conversation.loading ? "off" : "polite";
    for (const message of conversation.messages) {
      gone.delete(keyOf(message));
      const line = this.#line(message, previous);
      if (line === place) place = place.nextElementSibling;
      else list.insertBefore(line, place);
      previous = message;
    }
    for (const key of gone) this.#remove(key);
    more.textContent = this.#moreText(conversation);
    if (this.#isAtEnd) this.#goToEnd();
    else if (first && first !== list.firstElementChild && log.scrollTop === before.top)
      log.scrollTop = before.top + log.scrollHeight - before.height;
  }

  /** @param {Conversation} conversation */
  #moreText({ isLoaded, hasMore, messages }) {
    if (!isLoaded) return "Loading…";
    if (hasMore) return "";
    return messages.length ? "This is the beginning, as far as it is kept." : "Nothing has been said here lately.";
  }

  /** @param {string} key */
  #remove(key) {
    this.#lines.get(key)?.remove();
    this.#lines.delete(key);
  }

  /** The element of a message, as it should look behind `previous`. @param {Message} message @param {Message | undefined} previous */
  #line(message, previous) {
    const key = keyOf(message);
    let line = this.#lines.get(key);
    const look = lookOf(message, previous);
    if (line && line.message === message && line.dataset.look === look) return line;
    const made = line ?? /** @type {Line} */ (element("li"));
    made.message = message;
    made.dataset.look = look;
    made.className = look;
    made.classList.toggle("own", message.fromUser === this.client?.userId);
    made.replaceChildren(...this.#parts(message, previous));
    this.#lines.set(key, made);
    return made;
  }

  /** @param {Message} message @param {Message | undefined} previous */
  #parts(message, previous) {
    const moment = new Date(message.createTime ?? Date.now());
    const parts = [];
    if (beginsDay(message, previous)) parts.push(element("h3", { className: "day" }, dayText(moment)));
    if (!isContinued(message, previous)) {
      const time = element("time", { dateTime: moment.toISOString() }, message.pending ? "sending…" : timeText(moment));
      parts.push(element("div", { className: "by" }, nameTag(message.fromUser ?? ""), " ", time));
    }
    parts.push(element("p", {}, ...spoken(String(message.payload?.content ?? ""))));
    if (message.failed) parts.push(this.#failure(message));
    return parts;
  }

  /** @param {Message} message */
  #failure(message) {
    const { failed, ...rest } = message;
    const again = element("button", { type: "button" }, "Send again");
    const drop = element("button", { type: "button" }, "Discard");
    again.addEventListener("click", () => this.client?.sayAgain(rest));
    drop.addEventListener("click", () => {
      this.conversation?.drop(message);
      this.#render();
    });
    return element("div", { className: "failure", role: "alert" }, `Not sent. ${failed} `, again, " ", drop);
  }

  // Scrolling

  #scrolled() {
    const { log, down } = this;
    if (!log || !down) return;
    this.#isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    down.hidden = this.#isAtEnd;
    if (this.#isAtEnd) this.dispatchEvent(new Event("read"));
  }

  #goToEnd() {
    if (!this.log) return;
    this.log.scrollTop = this.log.scrollHeight;
    this.dispatchEvent(new Event("read"));
  }

  // Writing

  #typed() {
    this.#fitInput();
    const { client, conversation, input } = this;
    if (!client || !conversation || !input?.value.trim() || Date.now() - this.#lastTyped < TYPING_EVERY) return;
    this.#lastTyped = Date.now();
    client.send("typing", conversation.address);
  }

  #send() {
    const { client, conversation, input } = this;
    const content = input?.value.trim();
    if (!client || !conversation || !input || !content) return;
    client.say(conversation.address, content);
    input.value = "";
    this.#lastTyped = 0;
    this.#fitInput();
    this.#isAtEnd = true;
    this.#render();
  }

  #fitInput() {
    if (!this.input) return;
    this.input.rows = Math.min(6, Math.max(1, this.input.value.split("\n").length));
  }

  // Typing

  /** @param {Frame} frame */
  #seeTyping({ room, fromUser = "" }) {
    const key = room ? `room ${room}` : `user ${fromUser}`;
    if (!this.#typing.has(key)) this.#typing.set(key, new Map());
    this.#typing.get(key)?.set(fromUser, Date.now() + TYPING_LASTS);
    this.#showTyping();
    setTimeout(() => this.#showTyping(), TYPING_LASTS + 50);
  }

  #showTyping() {
    const users = this.#typing.get(this.conversation?.key ?? "") ?? new Map();
    for (const [user, until] of users) if (until <= Date.now()) users.delete(user);
    const names = [...users.keys()].map((user) => nameOf(user).name);
    const who = names.length > 3 ? "Several people" : names.join(", ");
    if (this.hint) this.hint.textContent = names.length ? `${who} ${names.length > 1 ? "are" : "is"} typing…` : "";
  }

  /** Put the cursor where one writes. */
  focusInput() {
    find("textarea", this).focus();
  }
}

/** @param {Message} message @param {Message | undefined} previous */
function lookOf(message, previous) {
  const looks = ["line"];
  if (message.pending) looks.push("pending");
  if (message.failed) looks.push("failed");
  if (beginsDay(message, previous)) looks.push("first");
  if (isContinued(message, previous)) looks.push("continued");
  return looks.join(" ");
}

/** @param {Message} message */
const momentOf = ({ createTime }) => (createTime ? Date.parse(createTime) : Date.now());

/** @param {Message} message @param {Message | undefined} previous */
function beginsDay(message, previous) {
  return !previous || new Date(momentOf(previous)).toDateString() !== new Date(momentOf(message)).toDateString();
}

/** @param {Message} message @param {Message | undefined} previous */
function isContinued(message, previous) {
  if (!previous || beginsDay(message, previous) || message.pending || message.failed) return false;
  return previous.fromUser === message.fromUser && momentOf(message) - momentOf(previous) < CONTINUED;
}

customElements.define("chat-talk", Talk);
