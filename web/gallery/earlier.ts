/** Conversations that agents keep, what was said in one, and a hook that is not there yet: for the gallery. */
import type { Conversation, Said } from "@flybridge/protocol/conversation.ts";
import type { Hook } from "@flybridge/protocol/methods.ts";
import { CLAUDE, sessionId } from "./data.ts";

const ago = (minutes: number): number => Date.now() - minutes * 60_000;

export const CONVERSATIONS: Conversation[] = [
  {
    agent: CLAUDE,
    conversation: "0a632f73-cc88-4e18-9d87-d8b0d6a3889f",
    title: "Round the totals of the checkout once, not per line",
    workspace: "/home/ada/harbour-shop",
    updated: ago(3),
    open: true,
  },
  {
    agent: CLAUDE,
    conversation: "5909cbfa-77c4-4ae0-bdea-ac0bec2040a6",
    title: "Why is the first page slow on a phone?",
    workspace: "/home/ada/lighthouse",
    updated: ago(80),
  },
  {
    agent: CLAUDE,
    conversation: "c2e20069-0b32-4ee5-872a-f4ff8733817a",
    title: "\u202egpj.exe is what it says: a title that tries to turn itself around, and is far too long for one line",
    workspace: "/srv/build/agents/long-lived-workspace-with-a-name-that-is-too-long-for-a-phone",
    updated: ago(60 * 24 * 9),
    session: sessionId(1),
  },
];

export const SAID: Said[] = [
  { who: "person", text: "Why is the first page slow on a phone?" },
  {
    who: "agent",
    text: "It loads the whole icon font before it draws. Three of its nine hundred icons are used.\n\nI can draw those three as outlines instead; that takes 190 KB off the first page.",
  },
  { who: "person", text: "Do that. Keep the names." },
  { who: "agent", text: "Done: `icons.ts` has the three outlines under their old names, and the font is gone." },
];

export const HOOKS: Hook[] = [{ agent: CLAUDE, path: "/home/ada/.claude/settings.json", state: "absent" }];
