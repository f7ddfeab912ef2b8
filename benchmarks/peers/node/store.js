// Storage for both chat servers in Node.js, with our keys and retention. ioredis uses auto-pipelining, as
// its documentation recommends: the commands of all sockets in one turn of the event loop go out in one write.
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";

const DAY = 24 * 3600;

export const valkey = new Redis({
  host: "127.0.0.1",
  port: Number(process.env.VALKEY_PORT),
  enableAutoPipelining: true,
});

/** Returns a message as it is stored and sent, with the fields that the server sets. */
export function stamped(fields, fromUser) {
  return {
    type: "chat_message",
    fromUser,
    ...fields,
    messageId: randomUUID(),
    createTime: new Date().toISOString(),
  };
}

/** Stores a message of a room for a day. */
export function keepInRoom(room, line) {
  const key = `room:messages:${room}`;
  const now = Date.now();
  return Promise.all([
    valkey.zadd(key, now, line),
    valkey.expire(key, DAY),
    valkey.zremrangebyscore(key, "-inf", `(${now - DAY * 1000}`),
  ]);
}

/** Stores a direct message for a day. */
export function keepDirect(one, other, line) {
  const key = `dm:${[one, other].sort().join(":")}`;
  return Promise.all([valkey.rpush(key, line), valkey.expire(key, DAY)]);
}

/** Returns the last messages of a room as JSON texts, the newest first. */
export function recent(room, limit) {
  return valkey.zrevrange(`room:messages:${room}`, 0, limit - 1);
}
