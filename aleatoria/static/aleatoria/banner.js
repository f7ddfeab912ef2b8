/** @import { Client } from "./types.d.ts" */

const NOTICE_LASTS = 8000; // milliseconds

/** Tells the user that the connection is lost, that the server keeps nothing, or what went wrong. */
export class Banner {
  #notice = "";
  /** @type {number | undefined} */
  #timer;

  /** @param {Client} client @param {HTMLElement} root */
  constructor(client, root) {
    this.client = client;
    this.root = root;
    client.on("problem", (text) => this.showNotice(text));
    client.on("degraded", () => this.#render());
    client.on("state", () => this.#render());
  }

  /** Shows a text for a few seconds. @param {string} text */
  showNotice(text) {
    this.#notice = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.showNotice(""), NOTICE_LASTS);
    this.#render();
  }

  #render() {
    const text = this.#text();
    this.root.textContent = text;
    this.root.hidden = !text;
  }

  #text() {
    const { state, userId, degraded } = this.client;
    if (state === "banned") return "Those who run this server have closed your connection.";
    if (state === "waiting" || (state === "connecting" && userId))
      return "The connection is lost. Trying again; what you write is sent as soon as it is back.";
    if (this.#notice) return this.#notice;
    return degraded ? "The server is without its memory: you can talk, but nothing is kept at the moment." : "";
  }
}
