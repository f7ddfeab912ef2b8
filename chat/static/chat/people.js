// @ts-check
/** Who is in the room that is shown, those online first. */

import { element, find, nameTag, refill } from "../aleatoria/text.js";

/** @typedef {import("../aleatoria/client.js").Client} Client */

const AGAIN_AFTER = 500;

export class People {
  room = "";

  /** Who is online, by user. @type {Map<string, boolean>} */
  #members = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Client} client @param {HTMLElement} root @param {(user: string) => void} write */
  constructor(client, root, write) {
    this.client = client;
    this.write = write;
    this.list = find("ul", root);
    this.count = find(".count", root);
    client.on("status", ({ userId, status }) => this.#changed(userId, status === "online"));
    client.on("message", ({ conversation, message }) => conversation.key === `room ${this.room}` && this.#changed(message.fromUser, true));
    client.on("state", (state) => state === "open" && this.#load());
  }

  /** @param {string} room */
  show(room) {
    if (room === this.room) return;
    this.room = room;
    this.#members.clear();
    this.#render();
    this.#load();
  }

  /** Ask again, but not for each of many who come at once. */
  #loadSoon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#load();
    }, AGAIN_AFTER);
  }

  async #load() {
    const { room } = this;
    if (!room) return;
    try {
      const members = await this.client.members(room);
      if (room !== this.room) return;
      this.#members = new Map(members.map(({ userId, online }) => [userId, online]));
      this.#render();
    } catch {
      // Away, or not in the room yet: it is asked for again with the next connection.
    }
  }

  /** @param {string} user @param {boolean} isOnline */
  #changed(user, isOnline) {
    if (!this.room || this.#members.get(user) === isOnline) return;
    // Somebody new: in this room, or in another that one shares with him.
    if (this.#members.has(user)) this.#members.set(user, isOnline);
    else return this.#loadSoon();
    this.#render();
  }

  #render() {
    const users = [...this.#members].sort(([one, isOn], [other, otherIsOn]) => Number(otherIsOn) - Number(isOn) || one.localeCompare(other));
    this.count.textContent = this.room ? `${users.filter(([, isOn]) => isOn).length} online` : "";
    refill(this.list, users.map(([user, isOnline]) => this.#entry(user, isOnline)));
  }

  /** @param {string} user @param {boolean} isOnline */
  #entry(user, isOnline) {
    const isSelf = user === this.client.userId;
    const dot = element("span", { className: isOnline ? "dot online" : "dot" });
    const state = element("span", { className: "aside" }, isOnline ? " online" : " offline");
    const label = [dot, nameTag(user), state, ...(isSelf ? [element("span", { className: "you" }, "you")] : [])];
    if (isSelf) return element("li", { className: "self" }, ...label);
    const button = element("button", { type: "button", title: "Write to them" }, ...label);
    button.dataset.key = user;
    button.addEventListener("click", () => this.write(user));
    return element("li", {}, button);
  }
}
