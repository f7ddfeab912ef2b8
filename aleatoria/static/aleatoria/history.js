import { Refused } from "./requests.js";

/** @import { Conversation, Frame, Page, Requests } from "./types.d.ts" */

const PAGE = 50;
const GAP_PAGE = 200;
/** Milliseconds by which a gap begins before its edge: two server processes may store messages out of order. */
const GAP_MARGIN = 5000;

/** Loads the next older page of a conversation. @param {Requests} requests @param {Conversation} conversation */
export async function loadOlderPage(requests, conversation) {
  conversation.loading = true;
  try {
    const query = conversation.cursor ? { limit: PAGE, cursor: conversation.cursor } : { limit: PAGE };
    conversation.addOlder(await requestPage(requests, conversation, query));
  } finally {
    conversation.loading = false;
  }
}

/**
 * Calls `onMessage` with each message that was sent while the connection was lost, and with a few earlier ones.
 * @param {Requests} requests @param {Conversation} conversation @param {(message: Frame) => void} onMessage
 */
export async function fillGap(requests, conversation, onMessage) {
  if (!conversation.newest) return;
  const after = new Date(Date.parse(conversation.newest) - GAP_MARGIN).toISOString();
  let query = /** @type {object} */ ({ limit: GAP_PAGE, after });
  try {
    for (let more = true; more;) {
      const page = await requestPage(requests, conversation, query);
      for (const message of page.messages) onMessage(message);
      query = { limit: GAP_PAGE, cursor: page.cursor };
      more = page.hasMore;
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // The connection is lost again, and the next one fills the rest. Or the user has left the room.
  }
}

/** @param {Requests} requests @param {Conversation} conversation @param {object} query @returns {Promise<Page>} */
function requestPage(requests, { address }, query) {
  if ("room" in address) {
    const { room } = address;
    return requests.ask({ type: "get_recent_messages", room, payload: query }, "recent_messages", room);
  }
  const payload = { withUser: address.toUser, ...query };
  return requests.ask({ type: "get_direct_messages", payload }, "direct_messages", address.toUser);
}
