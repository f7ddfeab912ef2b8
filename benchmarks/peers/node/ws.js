// A chat server on the bare `ws` package, written for speed: the server encodes a message once and publishes it in the
// pipeline that stores it. Each process sends the published text to its sockets that listen to the channel.
import { WebSocketServer } from "ws";
import { keepDirect, keepInRoom, recent, stamped, valkey } from "./store.js";

const subscriber = valkey.duplicate();
const listeners = new Map(); // the sockets of this process, by channel

subscriber.on("message", (channel, text) => {
  for (const socket of listeners.get(channel) ?? []) socket.send(text);
});

function listen(socket, channel) {
  if (!listeners.has(channel)) {
    listeners.set(channel, new Set());
    subscriber.subscribe(channel);
  }
  listeners.get(channel).add(socket);
}

function stopListening(socket, channel) {
  const sockets = listeners.get(channel);
  sockets.delete(socket);
  if (sockets.size === 0) {
    listeners.delete(channel);
    subscriber.unsubscribe(channel);
  }
}

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT), perMessageDeflate: false });

server.on("connection", (socket, request) => {
  const query = new URL(request.url, "http://localhost").searchParams;
  const userId = query.get("userId");
  const rooms = new Set([query.get("room")]);
  const channels = [`user.${userId}`, ...[...rooms].map((room) => `room.${room}`)];
  for (const channel of channels) listen(socket, channel);
  socket.on("close", () => channels.forEach((channel) => stopListening(socket, channel)));

  socket.on("message", async (data) => {
    const { type, room, toUser, payload } = JSON.parse(data);
    if (type === "chat_message" && toUser) {
      const text = JSON.stringify(stamped({ toUser, payload }, userId));
      const kept = keepDirect(userId, toUser, text);
      await Promise.all([kept, ...[userId, toUser].map((user) => valkey.publish(`user.${user}`, text))]);
    } else if (type === "chat_message" && rooms.has(room)) {
      const text = JSON.stringify(stamped({ room, payload }, userId));
      await Promise.all([keepInRoom(room, text), valkey.publish(`room.${room}`, text)]);
    } else if (type === "get_recent_messages" && rooms.has(room)) {
      const lines = await recent(room, payload.limit);
      socket.send(`{"type":"recent_messages","room":${JSON.stringify(room)},"messages":[${lines.join(",")}]}`);
    }
  });
});
