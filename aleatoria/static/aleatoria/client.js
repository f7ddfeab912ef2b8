// @ts-check
/**
 * Aleatoria's protocol for a web page: a connection that comes back by itself, messages that are sent until they have
 * arrived, and conversations in order, each message once, without gaps. No dependency, no DOM. See docs/protocol.md.
 *
 *     const client = new Client({ url: "wss://chat.example.com/ws" });
 *     client.on("message", ({ conversation, message }) => …);
 *     client.start();
 *     client.say({ room: "attic" }, "hello");
 */

import { Conversation } from "./conversation.js";

/**
 * A frame of the protocol, in either direction.
 * @typedef {{
 *   type: string, fromUser?: string, toUser?: string, room?: string, payload?: any, messageId?: string,
 *   createTime?: string, incoming?: boolean,
 * }} Frame
 */
/** Whom something is for. @typedef {{ room: string } | { toUser: string }} Address */
/**
 * connecting: on the way. open: everything is sent and heard. waiting: lost, and trying again soon.
 * unknown: the server does not know who this is. banned: those who run the server want this user to go. stopped: by `stop`.
 * @typedef {"connecting" | "open" | "waiting" | "unknown" | "banned" | "stopped"} State
 */
/** @typedef {{ url: string, events?: string[], WebSocket?: any, random?: () => number }} Options */
/**
 * @typedef {{ answer: string, about: string, resolve: (payload: any) => void, reject: (error: Error) => void,
 *   timer: ReturnType<typeof setTimeout> }} Question
 */

const SECOND = 1000;
const CONNECT_WITHIN = 10 * SECOND;
const ANSWER_WITHIN = 10 * SECOND;
const LONGEST_WAIT = 30 * SECOND;
const RESTART_WAIT = 5 * SECOND;
/** How often a silent connection is asked whether it is still there. */
const HEARTBEAT = 25 * SECOND;
/** Of two processes one may store a little later what was said a little earlier: a gap is filled from before its edge. */
const GAP_MARGIN = 5 * SECOND;
const PAGE = 50;
const [RESTART, UNKNOWN, BANNED, FLOODING] = [1012, 4401, 4403, 4429];

/** The server declined, or could not be asked. Its text is for a person. */
export class Refused extends Error {
  /** @param {string} text @param {string} code */
  constructor(text, code) {
    super(text);
    this.code = code;
  }
}

export class Client {
  /** @type {State} */
  state = "stopped";
  /** Who this is, once the server has said so. */
  userId = "";
  /** The rooms the user is in, as far as is known. @type {Set<string>} */
  rooms = new Set();
  /** @type {RTCIceServer[]} */
  iceServers = [];
  /** Whether the server is without its memory. */
  degraded = false;
  /** By key. @type {Map<string, Conversation>} */
  conversations = new Map();

  /** @type {Map<string, Set<(event: any) => void>>} */
  #listeners = new Map();
  /** Said and not yet acknowledged, in order, by messageId. @type {Map<string, Frame>} */
  #outbox = new Map();
  /** The one of them that is on its way. One at a time: so they arrive in the order in which they were said. */
  #sending = "";
  /** @type {Map<string, Question>} */
  #questions = new Map();
  /** @type {any} */
  #socket = null;
  #attempts = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #heartbeat;

  /** @param {Options} options */
  constructor({ url, events = ["presence", "typing", "status"], WebSocket = globalThis.WebSocket, random = Math.random }) {
    this.url = url;
    this.events = events;
    this.WebSocket = WebSocket;
    this.random = random;
  }

  /**
   * Call `listener` on: `state`, `message` (new in a conversation), `change` (of a conversation), `rooms`, `status`
   * (somebody is online or offline), `typing`, `degraded`, `signal` (of a call), `problem` (a text for the user).
   * @param {string} kind @param {(event: any) => void} listener
   */
  on(kind, listener) {
    if (!this.#listeners.has(kind)) this.#listeners.set(kind, new Set());
    this.#listeners.get(kind)?.add(listener);
    return () => this.#listeners.get(kind)?.delete(listener);
  }

  // The connection

  /** Connect, and stay connected. */
  start() {
    if (this.state !== "stopped" && this.state !== "unknown") return;
    globalThis.addEventListener?.("online", this.hurry);
    globalThis.addEventListener?.("offline", this.#drop);
    globalThis.addEventListener?.("pageshow", this.hurry);
    globalThis.document?.addEventListener("visibilitychange", this.hurry);
    this.#attempts = 0;
    this.#connect();
  }

  /** Disconnect for good. */
  stop() {
    globalThis.removeEventListener?.("online", this.hurry);
    globalThis.removeEventListener?.("offline", this.#drop);
    globalThis.removeEventListener?.("pageshow", this.hurry);
    globalThis.document?.removeEventListener("visibilitychange", this.hurry);
    clearTimeout(this.#timer);
    this.#enter("stopped");
    this.#socket?.close(1000);
    this.#forgetSocket();
  }

  /** Try again now, if it is waiting to: the network is back, or somebody looks. */
  hurry = () => {
    if (this.state !== "waiting" || globalThis.document?.visibilityState === "hidden") return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  #connect() {
    this.#enter("connecting");
    const socket = new this.WebSocket(this.url);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lost(socket, 0), CONNECT_WITHIN);
    socket.onopen = () => this.#transmit({ type: "hello", payload: { events: this.events } });
    socket.onmessage = (/** @type {{ data: string }} */ event) => {
      if (socket === this.#socket) this.#hear(JSON.parse(event.data));
    };
    socket.onclose = (/** @type {{ code: number }} */ event) => this.#lost(socket, event.code);
  }

  #drop = () => this.#lost(this.#socket, 0);

  /** @param {any} socket @param {number} code */
  #lost(socket, code) {
    if (socket !== this.#socket || !socket) return;
    this.#forgetSocket();
    socket.close();
    clearTimeout(this.#timer);
    if (code === UNKNOWN) return this.#enter("unknown");
    if (code === BANNED) return this.#enter("banned");
    this.#enter("waiting");
    this.#timer = setTimeout(() => this.#connect(), this.#wait(code));
  }

  /** Full jitter: when a server comes back, its clients do not come back all at once. @param {number} code */
  #wait(code) {
    if (code === RESTART) return this.random() * RESTART_WAIT;
    const longest = Math.min(LONGEST_WAIT, SECOND * 2 ** this.#attempts);
    this.#attempts += 1;
    return this.random() * longest + (code === FLOODING ? RESTART_WAIT : 0);
  }

  #forgetSocket() {
    this.#socket = null;
    this.#sending = "";
    clearTimeout(this.#heartbeat);
    for (const question of this.#questions.values()) {
      clearTimeout(question.timer);
      question.reject(new Refused("The connection was lost.", "away"));
    }
    this.#questions.clear();
  }

  /** @param {any} welcome */
  #opened(welcome) {
    const isNew = this.state !== "open";
    clearTimeout(this.#timer);
    this.#attempts = 0;
    this.userId = welcome.userId;
    this.iceServers = welcome.iceServers;
    this.#beDegraded(welcome.degraded);
    if (!isNew) return;
    this.rooms = new Set(welcome.rooms);
    this.#enter("open");
    this.#emit("rooms", this.rooms);
    this.#sendNext();
    for (const conversation of this.conversations.values()) this.#fillGap(conversation);
  }

  /** Ask the server something small from time to time: nothing else would tell that a connection is dead. */
  #expectSigns() {
    clearTimeout(this.#heartbeat);
    const socket = this.#socket;
    this.#heartbeat = setTimeout(() => {
      this.#transmit({ type: "hello", payload: { events: this.events } });
      this.#heartbeat = setTimeout(() => this.#lost(socket, 0), ANSWER_WITHIN);
    }, HEARTBEAT);
  }

  // Saying

  /**
   * Say something in a room or to a user. It is sent until it has arrived, over as many connections as that takes, and
   * counts once. The message is in its conversation at once, as pending.
   * @param {Address} to @param {string} content
   */
  say(to, content) {
    const frame = { type: "chat_message", ...to, messageId: crypto.randomUUID(), payload: { content } };
    this.#outbox.set(frame.messageId, frame);
    const conversation = this.conversation(to);
    conversation.expect({ ...frame, fromUser: this.userId });
    this.#emit("change", conversation);
    this.#sendNext();
    return frame.messageId;
  }

  /** Send it again, after it was refused. @param {Frame} message */
  sayAgain(message) {
    const { fromUser: _, ...frame } = message;
    const conversation = this.conversation(addressOf(message, this.userId));
    conversation.expect({ ...frame, fromUser: this.userId });
    this.#outbox.set(frame.messageId ?? "", frame);
    this.#emit("change", conversation);
    this.#sendNext();
  }

  #sendNext() {
    const [next] = this.#outbox.values();
    if (!next || this.#sending || this.state !== "open") return;
    this.#sending = next.messageId ?? "";
    this.#transmit(next);
  }

  /** It has arrived, or will not. @param {string} messageId */
  #settle(messageId) {
    this.#outbox.delete(messageId);
    if (this.#sending === messageId) this.#sending = "";
    this.#sendNext();
  }

  /** Send a frame that nobody answers, if there is a connection; whether there was. @param {string} type @param {Partial<Frame>} [fields] */
  send(type, fields = {}) {
    if (this.state !== "open") return false;
    this.#transmit({ type, ...fields });
    return true;
  }

  // Asking

  /** @param {string} room */
  async join(room) {
    const joined = await this.#ask({ type: "join_room", room }, "room_joined");
    this.rooms.add(joined.room);
    this.#emit("rooms", this.rooms);
    return joined.room;
  }

  /** @param {string} room */
  async leave(room) {
    await this.#ask({ type: "leave_room", room }, "room_left", room);
  }

  /** The members of a room. @param {string} room @returns {Promise<{ userId: string, online: boolean }[]>} */
  async members(room) {
    return (await this.#ask({ type: "get_members", room }, "members_list", room)).members;
  }

  /** With whom there are direct conversations. @returns {Promise<{ withUser: string, lastMessage: Frame, unread: number }[]>} */
  async directs() {
    return (await this.#ask({ type: "get_conversations" }, "conversations_list")).conversations;
  }

  /** What the other one wrote has been read. @param {string} withUser */
  markRead(withUser) {
    this.send("mark_read", { payload: { withUser } });
  }

  /** Load the next older page of a conversation; whether there is more. @param {Conversation} conversation */
  async loadOlder(conversation) {
    if (conversation.loading || (conversation.isLoaded && !conversation.hasMore)) return conversation.hasMore;
    conversation.loading = true;
    try {
      const query = conversation.cursor ? { limit: PAGE, cursor: conversation.cursor } : { limit: PAGE };
      conversation.addOlder(await this.#page(conversation, query));
    } finally {
      conversation.loading = false;
    }
    this.#emit("change", conversation);
    return conversation.hasMore;
  }

  /** The conversation in a room or with a user, made when it is first asked for. @param {Address} address */
  conversation(address) {
    const key = "room" in address ? `room ${address.room}` : `user ${address.toUser}`;
    let found = this.conversations.get(key);
    if (!found) {
      found = new Conversation(key, address);
      this.conversations.set(key, found);
    }
    return found;
  }

  /** @param {Conversation} conversation @param {object} query */
  #page({ address }, query) {
    if ("room" in address)
      return this.#ask({ type: "get_recent_messages", room: address.room, payload: query }, "recent_messages", address.room);
    const payload = { withUser: address.toUser, ...query };
    return this.#ask({ type: "get_direct_messages", payload }, "direct_messages", address.toUser);
  }

  /** Get what was said while there was no connection. @param {Conversation} conversation */
  async #fillGap(conversation) {
    if (!conversation.newest) return;
    const after = new Date(Date.parse(conversation.newest) - GAP_MARGIN).toISOString();
    let query = /** @type {object} */ ({ limit: 200, after });
    try {
      for (let more = true; more; ) {
        const page = await this.#page(conversation, query);
        for (const message of page.messages) this.#arrive(message);
        query = { limit: 200, cursor: page.cursor };
        more = page.hasMore;
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // Lost again: the next connection begins from where this one came to. Left meanwhile: there is no gap to fill.
    }
  }

  /**
   * Send a request; the payload of its answer. Refused when the server declines, or when there is no connection.
   * @param {Frame} frame @param {string} answer @param {string} [about] the room or user that tells this answer from others
   * @returns {Promise<any>}
   */
  #ask(frame, answer, about = "") {
    if (this.state !== "open") return Promise.reject(new Refused("There is no connection.", "away"));
    const id = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#lost(this.#socket, 0), ANSWER_WITHIN);
      const again = () => this.#transmit({ ...frame, messageId: id });
      this.#questions.set(id, { answer, about, resolve, reject, timer });
      this.#retries.set(id, again);
      again();
    }).finally(() => this.#retries.delete(id));
  }

  /** What sends a question once more. @type {Map<string, () => void>} */
  #retries = new Map();

  // Hearing

  /** @param {Frame} frame */
  #hear(frame) {
    this.#expectSigns();
    const { type, payload } = frame;
    if (type === "chat_message") this.#arrive(frame);
    else if (type === "welcome") this.#opened(payload);
    else if (type === "error") this.#refused(payload);
    else if (type === "user_status") this.#emit("status", payload);
    else if (type === "typing") this.#emit("typing", frame);
    else if (type === "server_status") this.#beDegraded(payload.degraded);
    else if (this.#answered(type, payload)) return;
    else if (type === "room_left") this.#left(payload.room);
    else this.#emit("signal", frame);
  }

  /** @param {string} type @param {any} payload */
  #answered(type, payload) {
    for (const [id, { answer, about, resolve, timer }] of this.#questions) {
      if (answer !== type || (about && about !== (payload.room ?? payload.withUser))) continue;
      this.#questions.delete(id);
      clearTimeout(timer);
      if (type === "room_left") this.#left(payload.room);
      resolve(payload);
      return true;
    }
    return false;
  }

  /** @param {{ error: string, code: string, inReplyTo?: string, retryAfter?: number }} refusal */
  #refused({ error, code, inReplyTo = "", retryAfter }) {
    const question = this.#questions.get(inReplyTo);
    const said = this.#outbox.get(inReplyTo);
    if (retryAfter !== undefined && (question || said)) {
      setTimeout(() => this.state === "open" && (said ? this.#transmit(said) : this.#retries.get(inReplyTo)?.()), retryAfter * SECOND);
    } else if (question) {
      this.#questions.delete(inReplyTo);
      clearTimeout(question.timer);
      question.reject(new Refused(error, code));
    } else if (said) {
      this.#settle(inReplyTo);
      const conversation = this.conversation(addressOf({ ...said, fromUser: this.userId }, this.userId));
      conversation.fail(inReplyTo, error);
      this.#emit("change", conversation);
    } else {
      this.#emit("problem", error);
    }
  }

  /** @param {Frame} message */
  #arrive(message) {
    if (message.fromUser === this.userId && this.#outbox.has(message.messageId ?? "")) this.#settle(message.messageId ?? "");
    const conversation = this.conversation(addressOf(message, this.userId));
    if (!conversation.add(message)) return;
    this.#emit("message", { conversation, message });
    this.#emit("change", conversation);
  }

  /** @param {string} room */
  #left(room) {
    this.rooms.delete(room);
    this.conversations.delete(`room ${room}`);
    this.#emit("rooms", this.rooms);
  }

  /** @param {boolean} degraded */
  #beDegraded(degraded) {
    if (degraded === this.degraded) return;
    this.degraded = degraded;
    this.#emit("degraded", degraded);
  }

  // Below

  /** @param {Frame} frame */
  #transmit(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /** @param {State} state */
  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.#emit("state", state);
  }

  /** @param {string} kind @param {any} event */
  #emit(kind, event) {
    for (const listener of this.#listeners.get(kind) ?? []) listener(event);
  }
}

/** Which conversation of a user a message belongs to. @param {Frame} message @param {string} userId @returns {Address} */
export function addressOf({ room, fromUser = "", toUser = "" }, userId) {
  if (room) return { room };
  return { toUser: fromUser === userId ? toUser : fromUser };
}
