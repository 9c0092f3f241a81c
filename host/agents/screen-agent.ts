/**
 * The port of an agent that speaks by its screen: a program in a terminal. The host's emulator draws what the program
 * writes; the agent looks at it when it has come to rest, or when the program says something by a signal of its own,
 * and says what is asked and what to type. Like `agent.ts` it does no I/O, and its memory is plain JSON.
 */
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Ended, LaunchOrder } from "./agent.ts";
import type { Screen } from "./terminal/screen.ts";

/** What a program tells its terminal about itself. */
export type Signal =
  /** OSC 7501, the program status protocol. */
  | {
      readonly kind: "status";
      readonly state: "idle" | "working" | "blocked" | "done" | "error" | "clear";
      readonly about?: "permission" | "question" | undefined;
      readonly app?: string | undefined;
      readonly text?: string | undefined;
    }
  /** OSC 9, 99, 777. */
  | { readonly kind: "notified"; readonly text: string }
  | { readonly kind: "title"; readonly text: string }
  | { readonly kind: "bell" };

export interface Sight {
  readonly screen: Screen;
  /** What came since the last look, in order. */
  readonly signals: readonly Signal[];
  /** Milliseconds since the screen last changed. */
  readonly quietMs: number;
  /** Whether whole lines that are typed are echoed: undefined until it was asked for; "unknown" where it cannot be told. */
  readonly echo: boolean | "unknown" | undefined;
  /** An ask of this session is open that came from a better source (a hook): the screen raises none. */
  readonly better: boolean;
  readonly at: number;
}

/** Typed once for each id of a process, also over crashes of the host. */
export interface Typed {
  readonly id: string;
  readonly keys: string;
}

/** What came of a look. */
export interface Seen {
  readonly facts: readonly Fact[];
  /** To be typed when the facts are stored, in order. */
  readonly typed: readonly Typed[];
  /** Look again after so many milliseconds, also if nothing changes; undefined to wait for a change. */
  readonly again?: number | undefined;
  /** Look again when it is known whether what is typed is echoed: what is asked depends on it. */
  readonly wantsEcho?: boolean | undefined;
}

export interface ScreenLaunch<Memory> {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly memory: Memory;
}

export interface ScreenOrder extends LaunchOrder {
  /** What runs in it; the person's shell when absent. */
  readonly command?: readonly string[] | undefined;
}

/**
 * Looks at the screen of one process. It may hold what is to be typed and must not be stored, which ends with the host:
 * an answer that is half typed then is begun anew, if it is still asked.
 */
export interface Watcher {
  /** Never throws. */
  see(sight: Sight): Seen;
  /**
   * A fact that a device caused, with an answer as it was given; one that was lost with the host is withheld, and never
   * typed. Types only what is asked now, and only while it is asked. May be given again after a crash. Never throws.
   */
  act(entry: Entry, sight: Sight): Seen;
}

export interface ScreenAgent<Memory = unknown> {
  readonly name: AgentName;
  readonly speaks: "screen";
  look(env: Readonly<Record<string, string>>): Promise<AgentInfo>;
  /** Throws `CallError("agent_unavailable")`. */
  launch(order: ScreenOrder): Promise<ScreenLaunch<Memory>>;
  /** Whoever watches changes `memory` in place; it is stored with what came of it. */
  watch(memory: Memory): Watcher;
  explain(memory: Memory, ended: Ended): string | undefined;
}
