/** A WebSocket connection that reopens itself after a loss. */

/** @import { ConnectionHandlers, Frame, Options, State } from "./types.d.ts" */

// All times are in milliseconds.
export const SECOND = 1000;
const CONNECT_TIMEOUT = 10 * SECOND;
export const ANSWER_TIMEOUT = 10 * SECOND;
const LONGEST_DELAY = 30 * SECOND;
const RESTART_DELAY = 5 * SECOND;
/** How long the server may be silent before it is asked for an answer. */
const HEARTBEAT = 25 * SECOND;
/** Close codes. */
const [RESTART, UNKNOWN, BANNED, FLOODING] = [1012, 4401, 4403, 4429];

export class Connection {
  /** @type {State} */
  state = "stopped";

  /** @type {any} */
  #socket = null;
  #failures = 0;
  /** Ends an attempt, or begins the next one. @type {number | undefined} */
  #timer;
  /** @type {number | undefined} */
  #heartbeat;
  /** Its signal removes the listeners. */
  #listening = new AbortController();

  /** @param {Required<Options>} settings read for each connection @param {ConnectionHandlers} handlers */
  constructor(settings, handlers) {
    this.settings = settings;
    this.handlers = handlers;
  }

  /** Connects, and reconnects after each loss. Does nothing while it runs, and after a ban. */
  start() {
    if (this.state !== "stopped" && this.state !== "unknown") return;
    this.#listening.abort();
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    globalThis.addEventListener?.("online", this.retryNow, { signal });
    globalThis.addEventListener?.("offline", this.drop, { signal });
    globalThis.addEventListener?.("pageshow", this.retryNow, { signal });
    globalThis.document?.addEventListener("visibilitychange", this.retryNow, { signal });
    this.#failures = 0;
    this.#connect();
  }

  stop() {
    this.#listening.abort();
    clearTimeout(this.#timer);
    this.#setState("stopped");
    this.#socket?.close(1000);
    this.#forgetSocket();
  }

  /** Begins the next attempt now. Does nothing in a hidden page, or unless the connection is waiting. */
  retryNow = () => {
    if (this.state !== "waiting" || globalThis.document?.visibilityState === "hidden") return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  /** Gives up a connection that is dead even if the browser has not noticed. */
  drop = () => this.#lose(this.#socket, 0);

  markOpen() {
    clearTimeout(this.#timer);
    this.#failures = 0;
    this.#setState("open");
  }

  /** Sends a frame if the connection is open; returns whether it is. @param {Frame} frame */
  send(frame) {
    if (this.state !== "open") return false;
    this.#transmit(frame);
    return true;
  }

  #connect() {
    this.#setState("connecting");
    const socket = new this.settings.WebSocket(this.settings.url);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lose(socket, 0), CONNECT_TIMEOUT);
    socket.onopen = () => this.#sendHello();
    socket.onmessage = (/** @type {{ data: string }} */ { data }) => {
      if (socket !== this.#socket) return;
      const frame = JSON.parse(data);
      this.#restartHeartbeat();
      this.handlers.onFrame(frame);
    };
    socket.onclose = (/** @type {{ code: number }} */ { code }) => this.#lose(socket, code);
  }

  /** Schedules the next connection unless the close code forbids it. @param {any} socket @param {number} code */
  #lose(socket, code) {
    if (socket !== this.#socket || !socket) return;
    this.#forgetSocket();
    socket.close();
    clearTimeout(this.#timer);
    if (code === UNKNOWN) return this.#setState("unknown");
    if (code === BANNED) return this.#setState("banned");
    this.#setState("waiting");
    this.#timer = setTimeout(() => this.#connect(), this.#nextDelay(code));
  }

  #forgetSocket() {
    this.#socket = null;
    clearTimeout(this.#heartbeat);
    this.handlers.onLost();
  }

  /** Delays are random, so that clients do not return to a server all at once. @param {number} code */
  #nextDelay(code) {
    const { random } = this.settings;
    if (code === RESTART) return random() * RESTART_DELAY;
    const longest = Math.min(LONGEST_DELAY, SECOND * 2 ** this.#failures);
    this.#failures += 1;
    return random() * longest + (code === FLOODING ? RESTART_DELAY : 0);
  }

  /** Asks a silent server for an answer: nothing else shows that a connection is dead. */
  #restartHeartbeat() {
    clearTimeout(this.#heartbeat);
    const socket = this.#socket;
    this.#heartbeat = setTimeout(() => {
      this.#sendHello();
      this.#heartbeat = setTimeout(() => this.#lose(socket, 0), ANSWER_TIMEOUT);
    }, HEARTBEAT);
  }

  #sendHello() {
    this.#transmit({ type: "hello", payload: { events: this.settings.events } });
  }

  /** @param {Frame} frame */
  #transmit(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /** @param {State} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.handlers.onState(state);
  }
}
