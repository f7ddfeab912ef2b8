/** The types that the modules of the chat share. Browsers do not load this file. */

import type { Message } from "../../../aleatoria/static/aleatoria/types.d.ts";

/** The element of a message. `message` is what it shows. */
export type Line = HTMLLIElement & { message?: Message };

/** What the user can do with a message that the server has refused. */
export type Actions = { resend: (message: Message) => void; discard: (message: Message) => void };
