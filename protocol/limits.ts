/** Every number that a peer could make large, named, with its unit. A limit of one layer alone lives in that layer. */

/** Characters of one prompt. A longer one is refused before it is journaled. */
export const MAX_PROMPT_CHARS = 6 * 1024 * 1024;
/** Characters of a reason, a note or free text in an answer. */
export const MAX_ANSWER_CHARS = 256 * 1024;
/** Characters of an edited plan. */
export const MAX_PLAN_CHARS = 1024 * 1024;
/** Characters of the body of one item that are kept; what comes after is dropped and the body says so. */
export const MAX_BODY_CHARS = 1024 * 1024;
/** Characters of what a tool is given, as shown with an item or an ask; a longer one is cut and says so. */
export const MAX_INPUT_CHARS = 256 * 1024;
/** Characters of any short text: title, label, header, device name. */
export const MAX_LABEL_CHARS = 2_000;
/** Characters of a path. */
export const MAX_PATH_CHARS = 4_096;
/** Questions in one ask, and options in one question; agents ask fewer. */
export const MAX_QUESTIONS = 32;
export const MAX_OPTIONS = 128;
/** Edits (files) shown with one item or ask. */
export const MAX_EDITS = 64;
/** Characters of one diff; a longer one is cut and says so. */
export const MAX_DIFF_CHARS = 128 * 1024;
/** Entries in one page, and the characters at which a page is closed early. */
export const PAGE_ENTRIES = 200;
export const PAGE_CHARS = 256 * 1024;
/** Missed entries up to which following streams all of them; beyond it the answer is a window. */
export const RESUME_ENTRIES = 100_000;
/** A streaming body is journaled when it has grown by so many characters, or after so many milliseconds. */
export const CHECKPOINT_CHARS = 8 * 1024;
export const CHECKPOINT_MS = 2_000;
/** How long an offer lives unless it says less, and at most, in milliseconds; how many may be open at once. */
export const OFFER_MS = 5 * 60_000;
export const MAX_OFFER_MS = 10 * 60_000;
export const MAX_OPEN_OFFERS = 3;
/** How long what is shared of a session lasts unless it is said, and at most, in milliseconds. */
export const GRANT_MS = 8 * 3_600_000;
export const MAX_GRANT_MS = 30 * 24 * 3_600_000;
/** How long a device waits for its digits to be typed at the host, in milliseconds. */
export const CONFIRM_MS = 2 * 60_000;
/** Rows of the audit log in one page. */
export const AUDIT_PAGE_ROWS = 200;
/** Sessions listed by one call, devices of one host. */
export const MAX_SESSIONS_LISTED = 2_000;
export const MAX_DEVICES = 256;
/** Attachments of one prompt, and the characters of all of them together as they travel (base64: a third more than the bytes). */
export const MAX_ATTACHMENTS = 16;
export const MAX_ATTACHMENT_CHARS = 6 * 1024 * 1024;
/** Slash commands, settings and values of a setting that an agent may say it has. */
export const MAX_COMMANDS = 500;
export const MAX_SETTINGS = 64;
/** Arguments of a terminal's command. */
export const MAX_ARGUMENTS = 256;
/** Cells of a terminal's sides. */
export const MAX_COLUMNS = 1_000;
export const MAX_ROWS = 500;
/** Characters of one piece of terminal input; a longer paste goes in several. */
export const MAX_TYPED_CHARS = 64 * 1024;
/** Lines of scrollback in one page. */
export const MAX_SCROLLBACK_LINES = 1_000;
/** Conversations listed by one call, turns of one shown as its preview, and files found by one search. */
export const MAX_CONVERSATIONS = 200;
export const MAX_PREVIEW_TURNS = 40;
export const MAX_FILES_FOUND = 50;
/** Standing rules of one host. */
export const MAX_RULES = 1_000;
/** Open asks that a session's summary carries, oldest first; the session itself has them all. */
export const MAX_OPEN_ASKS = 16;
/** Characters of the beginning of a text that a list shows. */
export const PREVIEW_CHARS = 200;
/** Bytes of one call as it travels; what it becomes (an entry) must fit a message too, with room to spare. */
export const MAX_CALL_BYTES = 7 * 1024 * 1024;
/** Characters of feed facts in one message; what is more follows in further ones. */
export const FEED_CHARS = 1024 * 1024;
