/** An address names a conversation: that of a room, or that with another user. */

/** @import { Address, Frame } from "./types.d.ts" */

/** Returns the key of a conversation. @param {Address} address */
export const conversationKey = (address) => ("room" in address ? `room ${address.room}` : `user ${address.toUser}`);

/**
 * Returns the conversation to which a message belongs, as the user `userId` sees it.
 * @param {Partial<Frame>} message @param {string} userId @returns {Address}
 */
export function addressOf({ room, fromUser = "", toUser = "" }, userId) {
  if (room) return { room };
  return { toUser: fromUser === userId ? toUser : fromUser };
}

/** Returns the fragment of the page's URL that names a conversation. @param {Address} address */
export function fragmentOf(address) {
  return "room" in address ? `room/${encodeURIComponent(address.room)}` : `user/${encodeURIComponent(address.toUser)}`;
}

/** Returns the address in a fragment, or null. @param {string} fragment @returns {Address | null} */
export function parseFragment(fragment) {
  const [, kind, name] = /^#(room|user)\/(.+)$/.exec(fragment) ?? [];
  if (!kind) return null;
  return kind === "room" ? { room: decodeURIComponent(name) } : { toUser: decodeURIComponent(name) };
}
