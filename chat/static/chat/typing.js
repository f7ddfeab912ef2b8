import { nameOf } from "../aleatoria/text.js";

export const TYPING_LASTS = 5000; // milliseconds

/** Who is typing in which conversation. */
export class Typing {
  /** When each user counts as idle again, by conversation. @type {Map<string, Map<string, number>>} */
  #until = new Map();

  /** @param {string} key @param {string} user */
  add(key, user) {
    if (!this.#until.has(key)) this.#until.set(key, new Map());
    this.#until.get(key)?.set(user, Date.now() + TYPING_LASTS);
  }

  /** @param {string} key @param {string} user */
  remove(key, user) {
    this.#until.get(key)?.delete(user);
  }

  /** Returns who is typing, as a sentence, or "". @param {string} key */
  describe(key) {
    const users = this.#until.get(key) ?? new Map();
    for (const [user, until] of users) if (until <= Date.now()) users.delete(user);
    const names = [...users.keys()].map((user) => nameOf(user).name);
    const who = names.length > 3 ? "Several people" : names.join(", ");
    return names.length ? `${who} ${names.length > 1 ? "are" : "is"} typing…` : "";
  }
}
