/** The types that the modules of the page share. Browsers do not load this file; `npx tsc -p .` reads it. */

export type { Client } from "./client.js";
export type { Connection } from "./connection.js";
export type { Conversation } from "./conversation.js";
export type { Emitter } from "./emitter.js";
export type { Outbox } from "./outbox.js";
export type { Requests } from "./requests.js";

/** What a client is made with. `events` are the kinds of events that the server should send. */
export type Options = { url: string; events?: string[]; WebSocket?: any; random?: () => number };

/**
 * - `connecting`: a socket is open or opening, and the server has not sent `welcome` yet.
 * - `open`: frames are sent and received.
 * - `waiting`: the connection is lost, and the next attempt is scheduled.
 * - `unknown`: the server does not know who the user is. The client does not try again.
 * - `banned`: an operator has closed the connection. The client does not try again.
 * - `stopped`: before `start` and after `stop`.
 */
export type State = "connecting" | "open" | "waiting" | "unknown" | "banned" | "stopped";

/** A frame of the protocol, in either direction. */
export type Frame = {
  type: string;
  fromUser?: string;
  toUser?: string;
  room?: string;
  payload?: any;
  messageId?: string;
  createTime?: string;
  incoming?: boolean;
};

/** Which conversation is meant: that of a room, or that with another user. */
export type Address = { room: string } | { toUser: string };

/** A chat message as the page keeps it. `failed` is the server's reason for refusing it, as a text for the user. */
export type Message = Frame & { pending?: boolean; failed?: string };

/** The payload of an `error` frame. `error` is a text for the user, `retryAfter` a time in seconds. */
export type ErrorPayload = { error: string; code: string; inReplyTo?: string; retryAfter?: number };

/** A member of a room. */
export type Member = { userId: string; online: boolean };

/** An entry in the list of direct conversations. `unread` counts messages. */
export type Direct = { withUser: string; lastMessage: Frame; unread: number };

/** A page of a conversation's history. `cursor` tells the server where the next older page begins. */
export type Page = { messages: Frame[]; hasMore: boolean; cursor?: string };

/** What a connection calls: on a new state, on each frame, and when a connection has ended. */
export type ConnectionHandlers = {
  onState: (state: State) => void;
  onFrame: (frame: Frame) => void;
  onLost: () => void;
};

/** A request without an answer. `answer` is the type of the answering frame, `about` the room or user that it names. */
export type PendingRequest = {
  frame: Frame;
  answer: string;
  about: string;
  resolve: (payload: any) => void;
  reject: (error: Error) => void;
  timer: number;
};
