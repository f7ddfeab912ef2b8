// A conversation keeps messages in order and without duplicates, in whatever order they arrive.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Conversation } from "../../../aleatoria/static/aleatoria/conversation.js";

const at = (second) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000000Z`;
const message = (id, second, fromUser = "ana") => ({
  type: "chat_message",
  fromUser,
  messageId: id,
  createTime: at(second),
  payload: { content: id },
});
const pending = (id) => ({ type: "chat_message", fromUser: "ana", messageId: id, payload: { content: id } });
const ids = (conversation) => conversation.messages.map((one) => one.messageId);

const empty = () => new Conversation({ room: "attic" });

test("messages stand in the order of their times, not of their coming", () => {
  const conversation = empty();
  for (const second of [3, 1, 2, 5, 4]) conversation.add(message(`m${second}`, second));
  assert.deepEqual(ids(conversation), ["m1", "m2", "m3", "m4", "m5"]);
  assert.equal(conversation.newest, at(5));
});

test("a message that comes twice is there once, and the same id of another user is another message", () => {
  const conversation = empty();
  assert.equal(conversation.add(message("m1", 1)), true);
  assert.equal(conversation.add(message("m1", 1)), false);
  assert.equal(conversation.add(message("m1", 1, "bob")), true);
  assert.equal(conversation.messages.length, 2);
});

test("what is on its way stands last, and takes its place when it has arrived", () => {
  const conversation = empty();
  conversation.addPending(pending("mine"));
  conversation.add(message("theirs", 9, "bob"));
  assert.deepEqual(ids(conversation), ["theirs", "mine"]);
  assert.equal(conversation.add(message("mine", 8)), true);
  assert.deepEqual(ids(conversation), ["mine", "theirs"]);
  assert.equal(conversation.messages[0].pending, undefined);
});

test("an older page goes before what there is, without what is known", () => {
  const conversation = empty();
  conversation.add(message("m5", 5));
  conversation.addOlder({
    messages: [message("m5", 5), message("m4", 4), message("m3", 3)],
    hasMore: true,
    cursor: "c",
  });
  assert.deepEqual(ids(conversation), ["m3", "m4", "m5"]);
  conversation.addOlder({ messages: [message("m2", 2)], hasMore: false });
  assert.deepEqual(ids(conversation), ["m2", "m3", "m4", "m5"]);
  assert.equal(conversation.hasMore, false);
  assert.equal(conversation.cursor, "c");
});

test("what was refused says why, and can be taken out or sent again", () => {
  const conversation = empty();
  conversation.addPending(pending("mine"));
  conversation.markFailed("mine", "Too long.");
  assert.equal(conversation.messages[0].failed, "Too long.");
  conversation.addPending(pending("mine"));
  assert.equal(conversation.messages.length, 1);
  conversation.markFailed("mine", "Too long.");
  conversation.remove(conversation.messages[0]);
  assert.deepEqual(ids(conversation), []);
});
