// @ts-check
/** Where one can be: the rooms one is in, and those one writes to, each with how much is unread. */

import { element, find, nameTag, refill } from "../aleatoria/text.js";

/** @typedef {import("../aleatoria/client.js").Client} Client */
/** @typedef {import("../aleatoria/client.js").Address} Address */
/** @typedef {import("../aleatoria/conversation.js").Conversation} Conversation */

export class Places {
  /** The key of the conversation that is shown. */
  active = "";
  /** Unread messages, by key. @type {Map<string, number>} */
  unread = new Map();

  /** With whom there are conversations, the newest first. @type {string[]} */
  #directs = [];
  /** Up to which createTime a room was read, by key. @type {Record<string, string>} */
  #read = {};

  /** @param {Client} client @param {HTMLElement} root @param {(address: Address) => void} open */
  constructor(client, root, open) {
    this.client = client;
    this.open = open;
    this.rooms = find("#rooms", root);
    this.people = find("#directs", root);
    this.form = /** @type {HTMLFormElement} */ (find("#join", root));
    this.form.addEventListener("submit", (event) => this.#join(event));
    client.on("rooms", () => this.render());
    client.on("message", ({ conversation, message }) => this.#arrived(conversation, message));
    client.on("state", (state) => state === "open" && this.#begin());
  }

  /** What is shown has been read. @param {Conversation} conversation */
  markRead(conversation) {
    const { address, key, newest } = conversation;
    if ("toUser" in address && this.unread.get(key)) this.client.markRead(address.toUser);
    if ("room" in address && newest && newest !== this.#read[key]) {
      this.#read[key] = newest;
      localStorage.setItem(this.#storage, JSON.stringify(this.#read));
    }
    if (this.unread.delete(key)) this.render();
  }

  get #storage() {
    return `aleatoria read ${this.client.userId}`;
  }

  async #begin() {
    this.#read = JSON.parse(localStorage.getItem(this.#storage) ?? "{}");
    try {
      const directs = await this.client.directs();
      this.#directs = directs.map(({ withUser }) => withUser);
      for (const { withUser, unread } of directs) this.#count(`user ${withUser}`, unread);
      this.render();
      for (const room of this.client.rooms) await this.#countRoom(room);
    } catch {
      // Away again: it begins anew with the next connection.
    }
  }

  /** @param {string} room */
  async #countRoom(room) {
    const conversation = this.client.conversation({ room });
    if (!conversation.isLoaded) await this.client.loadOlder(conversation);
    const read = this.#read[conversation.key];
    // One who comes for the first time has nothing to catch up with.
    if (read) this.#count(conversation.key, conversation.messages.filter((one) => (one.createTime ?? "") > read && this.#isOthers(one)).length);
    else if (conversation.newest) this.#read[conversation.key] = conversation.newest;
    this.render();
  }

  /** @param {import("../aleatoria/client.js").Frame} message */
  #isOthers = ({ fromUser }) => fromUser !== this.client.userId;

  /** @param {string} key @param {number} count */
  #count(key, count) {
    if (count && key !== this.active) this.unread.set(key, count);
    else this.unread.delete(key);
  }

  /** @param {Conversation} conversation @param {import("../aleatoria/client.js").Frame} message */
  #arrived(conversation, message) {
    const { address, key } = conversation;
    if ("toUser" in address) this.#directs = [address.toUser, ...this.#directs.filter((one) => one !== address.toUser)];
    if (this.#isOthers(message)) this.unread.set(key, (this.unread.get(key) ?? 0) + 1);
    this.render();
  }

  /** Have a conversation with a user in the list. @param {string} user */
  addDirect(user) {
    if (!this.#directs.includes(user)) this.#directs.unshift(user);
  }

  /** @param {SubmitEvent} event */
  async #join(event) {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (find("input", this.form));
    const problem = find(".problem", this.form);
    problem.textContent = "";
    const room = input.value.trim();
    if (!room) return;
    try {
      this.open({ room: await this.client.join(room) });
      input.value = "";
    } catch (error) {
      problem.textContent = /** @type {Error} */ (error).message;
    }
  }

  render() {
    const rooms = [...this.client.rooms].sort((one, other) => one.localeCompare(other));
    refill(this.rooms, rooms.map((room) => this.#entry({ room }, element("span", { className: "name" }, room))));
    refill(this.people, this.#directs.map((toUser) => this.#entry({ toUser }, nameTag(toUser))));
    find("#no-directs").hidden = this.#directs.length > 0;
    const all = [...this.unread.values()].reduce((sum, count) => sum + count, 0);
    document.title = all ? `(${all}) Aleatoria` : "Aleatoria";
  }

  /** @param {Address} address @param {HTMLElement} label */
  #entry(address, label) {
    const key = "room" in address ? `room ${address.room}` : `user ${address.toUser}`;
    const count = this.unread.get(key) ?? 0;
    const button = element("button", { type: "button" }, label);
    button.dataset.key = key;
    if (count) {
      const text = count >= 100 ? "99+" : String(count);
      button.append(element("span", { className: "unread" }, text, element("span", { className: "aside" }, " unread")));
    }
    if (key === this.active) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => this.open(address));
    return element("li", {}, button);
  }
}

