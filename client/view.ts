/**
 * What a device shows of one session: the fold of the entries it has, as rows in the order in which things began.
 * Everything here is plain data that is changed in place, one entry at a time; `fold.ts` does it.
 */
import type { Answer, Ask, Settlement } from "@flybridge/protocol/ask.ts";
import type { Attachment, Upload } from "@flybridge/protocol/attachment.ts";
import type { Delivery, FactOf, Usage } from "@flybridge/protocol/entry.ts";
import type { DeviceId, PromptId, SessionId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";

/** `saved` here, `sent` on the way, `accepted` by the host, `done`: the agent has it. */
export type PromptState = "saved" | "sent" | "accepted" | "done" | "withdrawn" | "refused";

export type Row =
  | {
      kind: "prompt";
      key: string;
      at: number;
      prompt: PromptId;
      text: string;
      delivery: Delivery;
      state: PromptState;
      by?: DeviceId;
      attachments?: Attachment[] | undefined;
      /** What goes with it, while it is on its way from here. */
      uploads?: readonly Upload[];
      /** Why the host refused it. */
      refusal?: string;
    }
  /** `done` is absent while the item is open; `took` is milliseconds. */
  | { kind: "item"; key: string; at: number; item: Item; open: boolean; took?: number }
  | { kind: "ask"; key: string; at: number; ask: Ask; dismissed: boolean; settlement?: Settlement; settledAt?: number }
  | {
      kind: "turn";
      key: string;
      at: number;
      outcome: FactOf<"turn.ended">["outcome"];
      detail?: string;
      usage?: Usage;
      took?: number;
    }
  | { kind: "notice"; key: string; at: number; level: FactOf<"notice">["level"]; text: string; raw?: string }
  /** Started, resumed, ended, configured: one line in the transcript. */
  | {
      kind: "mark";
      key: string;
      at: number;
      fact: FactOf<
        | "agent.started"
        | "agent.ended"
        | "session.configured"
        | "session.stopped"
        | "session.resumed"
        | "interrupt.asked"
      >;
    };

export interface SessionView {
  session: SessionId;
  /** Absent until the first window came, from the host or from this device's cache. */
  state?: SessionState;
  /** Oldest first. */
  rows: Row[];
  /** Prompts of this device that the host has not accepted yet, in order; shown after the rows. */
  outgoing: Extract<Row, { kind: "prompt" }>[];
  /** Answers of this device on their way, by ask: the card shows "sending" until the host has them. */
  answering: Record<string, { answer: Answer; refusal?: string }>;
  /** The first entry that `rows` cover; older ones exist when it is greater than 1. */
  from: number;
  loadingOlder: boolean;
  /** Whether what is shown is live; otherwise since when it is not. */
  live: boolean;
  staleSince?: number;
  /** The session is not there (any more), or this device may not see it. */
  gone?: string;
}
