import { conversationKey } from "../aleatoria/address.js";
import { find, makeElement, nameTag, replaceEntries } from "../aleatoria/text.js";

/** @import { Address, Client, Conversation, Frame } from "../aleatoria/types.d.ts" */

/** The list of rooms and direct conversations, each with its count of unread messages. */
export class Places {
  /** The key of the conversation that is shown. */
  active = "";
  /** Counts of unread messages, by key. @type {Map<string, number>} */
  unread = new Map();

  /** The newest first. @type {string[]} */
  #directs = [];
  /** The createTime of the newest message that was read, by key. @type {Record<string, string>} */
  #readUpTo = {};

  /** @param {Client} client @param {HTMLElement} root @param {(address: Address) => void} onChoose */
  constructor(client, root, onChoose) {
    this.client = client;
    this.onChoose = onChoose;
    this.rooms = find("#rooms", root);
    this.people = find("#directs", root);
    this.form = /** @type {HTMLFormElement} */ (find("#join", root));
    this.form.addEventListener("submit", (event) => this.#joinRoom(event));
    client.on("rooms", () => this.render());
    client.on("message", ({ conversation, message }) => this.#countMessage(conversation, message));
    client.on("state", (state) => state === "open" && this.#load());
  }

  /** @param {Conversation} conversation */
  markRead(conversation) {
    const { address, key, newest } = conversation;
    if ("toUser" in address && this.unread.get(key)) this.client.markRead(address.toUser);
    if ("room" in address && newest && newest !== this.#readUpTo[key]) {
      this.#readUpTo[key] = newest;
      localStorage.setItem(this.#storageKey, JSON.stringify(this.#readUpTo));
    }
    if (this.unread.delete(key)) this.render();
  }

  get #storageKey() {
    return `aleatoria read ${this.client.userId}`;
  }

  async #load() {
    this.#readUpTo = JSON.parse(localStorage.getItem(this.#storageKey) ?? "{}");
    try {
      const directs = await this.client.directs();
      this.#directs = directs.map(({ withUser }) => withUser);
      for (const { withUser, unread } of directs) this.#setUnread(conversationKey({ toUser: withUser }), unread);
      this.render();
      for (const room of this.client.rooms) await this.#countUnread(room);
    } catch {
      // The connection is lost again.
    }
  }

  /** @param {string} room */
  async #countUnread(room) {
    const conversation = this.client.conversation({ room });
    if (!conversation.isLoaded) await this.client.loadOlder(conversation);
    const { key, messages, newest } = conversation;
    const readUpTo = this.#readUpTo[key];
    // A newcomer has nothing unread.
    if (readUpTo)
      this.#setUnread(key, messages.filter((one) => (one.createTime ?? "") > readUpTo && !this.#isOwn(one)).length);
    else if (newest) this.#readUpTo[key] = newest;
    this.render();
  }

  /** @param {Frame} message */
  #isOwn({ fromUser }) {
    return fromUser === this.client.userId;
  }

  /** @param {string} key @param {number} count */
  #setUnread(key, count) {
    if (count && key !== this.active) this.unread.set(key, count);
    else this.unread.delete(key);
  }

  /** @param {Conversation} conversation @param {Frame} message */
  #countMessage({ address, key }, message) {
    if ("toUser" in address) this.#directs = [address.toUser, ...this.#directs.filter((one) => one !== address.toUser)];
    if (!this.#isOwn(message)) this.unread.set(key, (this.unread.get(key) ?? 0) + 1);
    this.render();
  }

  /** @param {string} user */
  addDirect(user) {
    if (!this.#directs.includes(user)) this.#directs.unshift(user);
  }

  /** @param {SubmitEvent} event */
  async #joinRoom(event) {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (find("input", this.form));
    const problem = find(".problem", this.form);
    problem.textContent = "";
    const room = input.value.trim();
    if (!room) return;
    try {
      this.onChoose({ room: await this.client.join(room) });
      input.value = "";
    } catch (error) {
      problem.textContent = /** @type {Error} */ (error).message;
    }
  }

  render() {
    const rooms = [...this.client.rooms].sort((one, other) => one.localeCompare(other));
    const roomEntries = rooms.map((room) =>
      this.#makeEntry({ room }, makeElement("span", { className: "name" }, room)),
    );
    replaceEntries(this.rooms, roomEntries);
    const directEntries = this.#directs.map((toUser) => this.#makeEntry({ toUser }, nameTag(toUser)));
    replaceEntries(this.people, directEntries);
    find("#no-directs").hidden = this.#directs.length > 0;
    const all = [...this.unread.values()].reduce((sum, count) => sum + count, 0);
    document.title = all ? `(${all}) Aleatoria` : "Aleatoria";
  }

  /** @param {Address} address @param {HTMLElement} label */
  #makeEntry(address, label) {
    const key = conversationKey(address);
    const count = this.unread.get(key) ?? 0;
    const button = makeElement("button", { type: "button" }, label);
    button.dataset.key = key;
    if (count) {
      const text = count >= 100 ? "99+" : String(count);
      const aside = makeElement("span", { className: "aside" }, " unread");
      button.append(makeElement("span", { className: "unread" }, text, aside));
    }
    if (key === this.active) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => this.onChoose(address));
    return makeElement("li", {}, button);
  }
}
