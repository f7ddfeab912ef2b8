// Tests of the client against a real server. The variable SERVER is its URL. The tests cut connections.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import WebSocket from "ws";

import { Client, Refused } from "../../../aleatoria/static/aleatoria/client.js";

const server = process.env.SERVER;
const sockets = [];
const clients = [];

/** A WebSocket that a test can cut. */
class Cuttable extends WebSocket {
  constructor(url) {
    super(url, { origin: server });
    this.on("error", () => {});
    sockets.push(this);
  }
}

let names = 0;
const unique = (name) => `${name}${process.pid}-${(names += 1)}`;

function clientOf(user, { room = unique("room"), ...options } = {}) {
  const url = `${server.replace("http", "ws")}/ws?userId=${user}&room=${room}`;
  const client = new Client({ url, WebSocket: Cuttable, random: () => 0.01, ...options });
  clients.push(client);
  return client;
}

/** Resolves with the first event for which `fits` returns true. */
const heard = (client, kind, fits = () => true) =>
  new Promise((resolve) => {
    const off = client.on(kind, (event) => {
      if (!fits(event)) return;
      off();
      resolve(event);
    });
  });

async function opened(client) {
  const open = heard(client, "state", (state) => state === "open");
  client.start();
  await open;
  return client;
}

const contents = (conversation) => conversation.messages.map((message) => message.payload.content);
const says =
  (text) =>
  ({ message }) =>
    message.payload.content === text;

afterEach(() => {
  for (const client of clients.splice(0)) client.stop();
  sockets.length = 0;
});

test("it opens, says who it is and knows its rooms", async () => {
  const room = unique("room");
  const ana = await opened(clientOf(unique("ana"), { room }));
  assert.match(ana.userId, /^ana/);
  assert.deepEqual([...ana.rooms], [room]);
});

test("what one says is pending at once, and heard by all in order", async () => {
  const room = unique("room");
  const [ana, bob] = await Promise.all([
    opened(clientOf(unique("ana"), { room })),
    opened(clientOf(unique("bob"), { room })),
  ]);
  const last = heard(bob, "message", says("3"));
  for (const text of ["1", "2", "3"]) ana.say({ room }, text);
  const conversation = ana.conversation({ room });
  assert.equal(conversation.messages[0].pending, true);
  await last;
  assert.deepEqual(contents(bob.conversation({ room })), ["1", "2", "3"]);
});

test("what was said while the connection was cut arrives once, in order, on both sides", async () => {
  const room = unique("room");
  const [ana, bob] = await Promise.all([
    opened(clientOf(unique("ana"), { room })),
    opened(clientOf(unique("bob"), { room })),
  ]);
  // The client fills a gap from the last message that it received, so both must have one.
  const both = [ana, bob].map((one) => heard(one, "message", says("before")));
  ana.say({ room }, "before");
  await Promise.all(both);
  const again = heard(ana, "state", (state) => state === "open");
  const caught = heard(ana, "message", says("from bob"));
  sockets[0].terminate();
  ana.say({ room }, "from ana");
  bob.say({ room }, "from bob");
  await again;
  await caught;
  if (!contents(bob.conversation({ room })).includes("from ana")) await heard(bob, "message", says("from ana"));
  assert.deepEqual(contents(ana.conversation({ room })).sort(), ["before", "from ana", "from bob"]);
  assert.deepEqual(contents(bob.conversation({ room })).sort(), ["before", "from ana", "from bob"]);
  assert.equal(
    ana.conversation({ room }).messages.some((message) => message.pending),
    false,
  );
});

test("what was sent and not acknowledged is sent again and counts once", async () => {
  const room = unique("room");
  const [ana, bob] = await Promise.all([
    opened(clientOf(unique("ana"), { room })),
    opened(clientOf(unique("bob"), { room })),
  ]);
  const arrived = heard(bob, "message", says("once"));
  // The client sends the message, but does not receive the answer.
  sockets[0].onmessage = () => {};
  ana.say({ room }, "once");
  await arrived;
  const acknowledged = heard(ana, "message", says("once"));
  sockets[0].terminate();
  await acknowledged;
  const after = heard(bob, "message", says("after"));
  ana.say({ room }, "after");
  await after;
  assert.deepEqual(contents(bob.conversation({ room })), ["once", "after"]);
});

test("a conversation is read back page by page", async () => {
  const room = unique("room");
  const ana = await opened(clientOf(unique("ana"), { room }));
  for (let count = 0; count < 120; count += 1) ana.say({ room }, String(count));
  await heard(ana, "message", says("119"));
  const bob = await opened(clientOf(unique("bob"), { room }));
  const conversation = bob.conversation({ room });
  assert.equal(await bob.loadOlder(conversation), true);
  assert.equal(conversation.messages.length, 50);
  assert.equal(await bob.loadOlder(conversation), true);
  assert.equal(await bob.loadOlder(conversation), false);
  assert.deepEqual(
    contents(conversation),
    Array.from({ length: 120 }, (_, count) => String(count)),
  );
});

test("direct messages are in the conversation with the other one, on both sides", async () => {
  const [ana, bob] = await Promise.all([opened(clientOf(unique("ana"))), opened(clientOf(unique("bob")))]);
  const arrived = heard(bob, "message", says("psst"));
  ana.say({ toUser: bob.userId }, "psst");
  const { conversation } = await arrived;
  assert.deepEqual(conversation.address, { toUser: ana.userId });
  const [direct] = await bob.directs();
  assert.deepEqual([direct.withUser, direct.unread], [ana.userId, 1]);
  bob.markRead(ana.userId);
  assert.equal((await bob.directs())[0].unread, 0);
});

test("a request that is declined says so, and one without a connection too", async () => {
  const ana = await opened(clientOf(unique("ana")));
  await assert.rejects(ana.members("elsewhere"), (error) => error instanceof Refused && error.code === "not_in_room");
  ana.stop();
  await assert.rejects(ana.members("elsewhere"), (error) => error instanceof Refused && error.code === "away");
});

test("a message that is declined is marked, and can be sent again", async () => {
  const room = unique("room");
  const ana = await opened(clientOf(unique("ana")));
  const refused = heard(ana, "change", (conversation) => conversation.messages.some((message) => message.failed));
  ana.say({ room }, "too early");
  const [message] = (await refused).messages;
  await ana.join(room);
  const arrived = heard(ana, "message", says("too early"));
  ana.sayAgain({ ...message, failed: undefined });
  await arrived;
  assert.equal(ana.conversation({ room }).messages.length, 1);
});

test("joining and leaving change the rooms", async () => {
  const ana = await opened(clientOf(unique("ana")));
  const room = unique("room");
  await ana.join(room);
  assert.equal(ana.rooms.has(room), true);
  await ana.leave(room);
  assert.equal(ana.rooms.has(room), false);
});

test("without an identity it says so and does not try again", async () => {
  const client = new Client({ url: `${server.replace("http", "ws")}/ws`, WebSocket: Cuttable });
  clients.push(client);
  const unknown = heard(client, "state", (state) => state === "unknown");
  client.start();
  await unknown;
  assert.equal(sockets.length, 1);
});

test("it waits a random time: longer each time, half a minute at most, five seconds after a restart", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const made = [];
  class Failing {
    constructor() {
      made.push(this);
    }
    close() {}
  }
  const draws = [];
  const client = new Client({ url: "ws://nowhere", WebSocket: Failing, random: () => draws.push(0.5) && 0.5 });
  client.start();
  const waits = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    made.at(-1).onclose({ code: 1006 });
    let waited = 0;
    for (const before = made.length; made.length === before; waited += 250) context.mock.timers.tick(250);
    waits.push(waited / 1000);
  }
  assert.deepEqual(waits, [0.5, 1, 2, 4, 8, 15, 15, 15]);
  made.at(-1).onclose({ code: 1012 });
  context.mock.timers.tick(2400);
  assert.equal(made.length, 9);
  context.mock.timers.tick(200);
  assert.equal(made.length, 10);
  client.stop();
});

test("it does not wait when somebody looks or the network is back", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const made = [];
  class Failing {
    constructor() {
      made.push(this);
    }
    close() {}
  }
  const client = new Client({ url: "ws://nowhere", WebSocket: Failing, random: () => 1 });
  client.start();
  made[0].onclose({ code: 1006 });
  client.hurry();
  assert.equal(made.length, 2);
  client.hurry();
  assert.equal(made.length, 2);
  client.stop();
});
