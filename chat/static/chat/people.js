import { conversationKey } from "../aleatoria/address.js";
import { find, makeElement, nameTag, replaceEntries } from "../aleatoria/text.js";

/** @import { Client } from "../aleatoria/types.d.ts" */

/** Milliseconds in which several newcomers cost one request. */
const RELOAD_DELAY = 500;

/** The list of people in a room, those online first. */
export class People {
  room = "";

  /** Whether each user is online. @type {Map<string, boolean>} */
  #members = new Map();
  /** @type {number | undefined} */
  #timer;

  /** @param {Client} client @param {HTMLElement} root @param {(user: string) => void} onChoose */
  constructor(client, root, onChoose) {
    this.client = client;
    this.onChoose = onChoose;
    this.list = find("ul", root);
    this.count = find(".count", root);
    client.on("status", ({ userId, status }) => this.#setOnline(userId, status === "online"));
    client.on("message", ({ conversation, message }) => {
      if (conversation.key === conversationKey({ room: this.room })) this.#setOnline(message.fromUser, true);
    });
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

  #loadSoon() {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#load();
    }, RELOAD_DELAY);
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
      // The connection is lost, or the user has not joined yet.
    }
  }

  /** @param {string} user @param {boolean} isOnline */
  #setOnline(user, isOnline) {
    if (!this.room || this.#members.get(user) === isOnline) return;
    // A user who is not in the list is new in this room, or is in another room.
    if (this.#members.has(user)) this.#members.set(user, isOnline);
    else return this.#loadSoon();
    this.#render();
  }

  #render() {
    const members = [...this.#members].sort(onlineFirst);
    this.count.textContent = this.room ? `${members.filter(([, isOnline]) => isOnline).length} online` : "";
    const entries = members.map(([user, isOnline]) => this.#makeEntry(user, isOnline));
    replaceEntries(this.list, entries);
  }

  /** @param {string} user @param {boolean} isOnline */
  #makeEntry(user, isOnline) {
    const isSelf = user === this.client.userId;
    const dot = makeElement("span", { className: isOnline ? "dot online" : "dot" });
    const state = makeElement("span", { className: "aside" }, isOnline ? " online" : " offline");
    const you = isSelf ? [makeElement("span", { className: "you" }, "you")] : [];
    const label = [dot, nameTag(user), state, ...you];
    if (isSelf) return makeElement("li", { className: "self" }, ...label);
    const button = makeElement("button", { type: "button", title: "Write to them" }, ...label);
    button.dataset.key = user;
    button.addEventListener("click", () => this.onChoose(user));
    return makeElement("li", {}, button);
  }
}

/** @param {[string, boolean]} one @param {[string, boolean]} other */
function onlineFirst([one, oneIsOnline], [other, otherIsOnline]) {
  return Number(otherIsOnline) - Number(oneIsOnline) || one.localeCompare(other);
}
