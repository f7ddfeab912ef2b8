import { conversationKey } from "../aleatoria/address.js";
import { messageKey } from "../aleatoria/conversation.js";
import { makeElement } from "../aleatoria/text.js";
import { renderLine } from "./line.js";
import { Typing, TYPING_LASTS } from "./typing.js";

/** @import { Client, Conversation, Frame, Message } from "../aleatoria/types.d.ts" */
/** @import { Actions, Line } from "./types.d.ts" */

/** Pixels from the end within which new messages scroll the view. */
const NEAR_END = 80;
const TYPING_INTERVAL = 3000; // milliseconds

/** Shows a conversation, loads older messages as the user scrolls up, and sends new ones. */
export class Talk extends HTMLElement {
  /** @type {Client | null} */
  client = null;
  /** @type {Conversation | null} */
  conversation = null;

  more = makeElement("p", { className: "more" });
  list = makeElement("ol");
  log = makeElement("div", { className: "log", role: "log", tabIndex: 0, ariaLabel: "Messages" }, this.more, this.list);
  down = makeElement("button", { type: "button", className: "down", hidden: true }, "New messages ↓");
  hint = makeElement("p", { className: "hint", role: "status" });
  input = makeElement("textarea", { rows: 1, maxLength: 4000, placeholder: "Write a message", ariaLabel: "Message" });
  form = makeElement("form", { className: "composer" }, this.input, makeElement("button", { type: "submit" }, "Send"));

  /** By key of the message. @type {Map<string, Line>} */
  #lines = new Map();
  /** Texts that were typed and not sent, by key of the conversation. @type {Map<string, string>} */
  #drafts = new Map();
  #typing = new Typing();
  /** When the server was last told. */
  #typingSent = 0;
  #frame = 0;
  #isAtEnd = true;

  connectedCallback() {
    if (this.childElementCount) return;
    this.append(this.log, this.down, this.hint, this.form);
    this.log.addEventListener("scroll", () => this.#followScroll(), { passive: true });
    this.down.addEventListener("click", () => this.#scrollToEnd());
    this.input.addEventListener("input", () => this.#sendTyping());
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendMessage();
    });
    const options = { root: this.log };
    new IntersectionObserver((seen) => seen.at(-1)?.isIntersecting && this.#loadOlder(), options).observe(this.more);
    new ResizeObserver(() => this.#isAtEnd && this.#scrollToEnd()).observe(this.log);
  }

  /** @param {Client} client */
  attach(client) {
    this.client = client;
    client.on("change", (conversation) => conversation === this.conversation && this.#renderSoon());
    client.on("state", (state) => state === "open" && this.#loadNewest());
    client.on("typing", (frame) => this.#noteTyping(frame));
    client.on("message", ({ conversation, message }) => {
      this.#typing.remove(conversation.key, message.fromUser);
      this.#renderTyping();
    });
  }

  /** Shows a conversation; null hides the element. @param {Conversation | null} conversation */
  show(conversation) {
    if (conversation !== this.conversation) this.#replaceConversation(conversation);
    this.hidden = !conversation;
    this.#render();
    this.#renderTyping();
    this.#loadNewest();
  }

  /** @param {Conversation | null} conversation */
  #replaceConversation(conversation) {
    const { input } = this;
    if (this.conversation) this.#drafts.set(this.conversation.key, input.value);
    this.conversation = conversation;
    for (const line of this.#lines.values()) line.remove();
    this.#lines.clear();
    input.value = this.#drafts.get(conversation?.key ?? "") ?? "";
    this.#fitInput();
    this.#isAtEnd = true;
  }

  async #loadNewest() {
    if (this.conversation && !this.conversation.isLoaded) await this.#loadOlder();
  }

  async #loadOlder() {
    const { client, conversation } = this;
    if (!client || !conversation || client.state !== "open" || conversation.loading) return;
    try {
      await client.loadOlder(conversation);
    } catch {
      return; // The connection is lost, or the user is not a member any more. What is loaded stays.
    }
    this.#render();
    if (conversation.hasMore && this.#isBeginningVisible()) await this.#loadOlder();
  }

  /** Returns whether older messages have room: a page may be shorter than the view. */
  #isBeginningVisible() {
    const { top, height } = this.log.getBoundingClientRect();
    return height > 0 && this.more.getBoundingClientRect().bottom > top;
  }

  // Messages

  #renderSoon() {
    this.#frame ||= requestAnimationFrame(() => this.#render());
  }

  #render() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { conversation, log, list, more } = this;
    if (!conversation) return;
    const { scrollHeight, scrollTop } = log;
    const first = list.firstElementChild;
    // A screen reader announces new messages, but not the older ones that scrolling loads.
    log.ariaLive = conversation.loading ? "off" : "polite";
    this.#renderLines(conversation.messages, list);
    more.textContent = describeBeginning(conversation);
    if (this.#isAtEnd) this.#scrollToEnd();
    else if (first && first !== list.firstElementChild && log.scrollTop === scrollTop)
      // Older messages were added above: what the user reads stays in place.
      log.scrollTop += log.scrollHeight - scrollHeight;
  }

  /** @param {Message[]} messages @param {HTMLElement} list */
  #renderLines(messages, list) {
    const gone = new Set(this.#lines.keys());
    let place = list.firstElementChild;
    /** @type {Message | undefined} */
    let previous;
    for (const message of messages) {
      gone.delete(messageKey(message));
      const line = this.#lineOf(message, previous);
      if (line === place) place = place.nextElementSibling;
      else list.insertBefore(line, place);
      previous = message;
    }
    for (const key of gone) {
      this.#lines.get(key)?.remove();
      this.#lines.delete(key);
    }
  }

  /** @param {Message} message @param {Message} [previous] */
  #lineOf(message, previous) {
    const key = messageKey(message);
    const line = this.#lines.get(key) ?? /** @type {Line} */ (makeElement("li"));
    renderLine(line, message, previous, message.fromUser === this.client?.userId, this.#actions);
    this.#lines.set(key, line);
    return line;
  }

  /** @type {Actions} */
  #actions = {
    resend: (message) => this.client?.sayAgain(message),
    discard: (message) => {
      this.conversation?.remove(message);
      this.#render();
    },
  };

  // Scrolling

  #followScroll() {
    const { log, down } = this;
    this.#isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    down.hidden = this.#isAtEnd;
    if (this.#isAtEnd) this.dispatchEvent(new Event("read"));
  }

  #scrollToEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.dispatchEvent(new Event("read"));
  }

  // Writing

  #sendMessage() {
    const { client, conversation, input } = this;
    const content = input.value.trim();
    if (!client || !conversation || !content) return;
    client.say(conversation.address, content);
    input.value = "";
    this.#typingSent = 0;
    this.#fitInput();
    this.#isAtEnd = true;
    this.#render();
  }

  #fitInput() {
    this.input.rows = Math.min(6, Math.max(1, this.input.value.split("\n").length));
  }

  focusInput() {
    this.input.focus();
  }

  // Typing

  #sendTyping() {
    this.#fitInput();
    const { client, conversation, input } = this;
    const isDue = Date.now() - this.#typingSent >= TYPING_INTERVAL;
    if (!client || !conversation || !input.value.trim() || !isDue) return;
    this.#typingSent = Date.now();
    client.send("typing", conversation.address);
  }

  /** @param {Frame} frame */
  #noteTyping({ room, fromUser = "" }) {
    this.#typing.add(conversationKey(room ? { room } : { toUser: fromUser }), fromUser);
    this.#renderTyping();
    setTimeout(() => this.#renderTyping(), TYPING_LASTS + 50);
  }

  #renderTyping() {
    this.hint.textContent = this.#typing.describe(this.conversation?.key ?? "");
  }
}

/** @param {Conversation} conversation */
function describeBeginning({ isLoaded, hasMore, messages }) {
  if (!isLoaded) return "Loading…";
  if (hasMore) return "";
  return messages.length ? "This is the beginning, as far as it is kept." : "Nothing has been said here lately.";
}

customElements.define("chat-talk", Talk);
