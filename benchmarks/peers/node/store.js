// What both chats in Node.js keep, in the same keys and with the same retention: ioredis with auto-pipelining, so that
// the commands of all sockets in one turn of the event loop go out in one write, as its documentation recommends.
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";

const DAY = 24 * 3600;

export const valkey = new Redis({
  host: "127.0.0.1",
  port: Number(process.env.VALKEY_PORT),
  enableAutoPipelining: true,
});

/** A message as it is kept and sent: what the client may not say, the server says. */
export function stamped(fields, fromUser) {
  return {
    type: "chat_message",
    fromUser,
    ...fields,
    messageId: randomUUID(),
    createTime: new Date().toISOString(),
  };
}

/** Keep a room's message for a day. */
export function keepInRoom(room, line) {
  const key = `room:messages:${room}`;
  const now = Date.now();
  return Promise.all([
    valkey.zadd(key, now, line),
    valkey.expire(key, DAY),
    valkey.zremrangebyscore(key, "-inf", `(${now - DAY * 1000}`),
  ]);
}

/** Keep a direct message for a day. */
export function keepDirect(one, other, line) {
  const key = `dm:${[one, other].sort().join(":")}`;
  return Promise.all([valkey.rpush(key, line), valkey.expire(key, DAY)]);
}

/** The lines of the last messages of a room, the newest first. */
export function recent(room, limit) {
  return valkey.zrevrange(`room:messages:${room}`, 0, limit - 1);
}
