// A chat server on socket.io 4 with its Redis adapter, as its documentation teaches: one socket.io room for each room
// and each user, and `io.to(room).emit`, which encodes a packet once for all receivers. For speed, it uses WebSockets
// only, without compression, and the adapter publishes through the client with auto-pipelining.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { Server } from "socket.io";
import { keepDirect, keepInRoom, recent, stamped, valkey } from "./store.js";

const http = createServer();
const io = new Server(http, {
  adapter: createAdapter(valkey, valkey.duplicate()),
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
});

io.on("connection", (socket) => {
  const { userId, room: firstRoom } = socket.handshake.query;
  socket.join([`room.${firstRoom}`, `user.${userId}`]);

  socket.on("chat_message", async ({ room, toUser, payload }) => {
    if (toUser) {
      const message = stamped({ toUser, payload }, userId);
      await keepDirect(userId, toUser, JSON.stringify(message));
      io.to([`user.${userId}`, `user.${toUser}`]).emit("chat_message", message);
    } else if (socket.rooms.has(`room.${room}`)) {
      const message = stamped({ room, payload }, userId);
      await keepInRoom(room, JSON.stringify(message));
      io.to(`room.${room}`).emit("chat_message", message);
    }
  });

  socket.on("get_recent_messages", async ({ room, payload }) => {
    if (!socket.rooms.has(`room.${room}`)) return;
    const lines = await recent(room, payload.limit);
    socket.emit("recent_messages", { room, messages: lines.map((line) => JSON.parse(line)) });
  });
});

http.listen(Number(process.env.PORT), "127.0.0.1");
