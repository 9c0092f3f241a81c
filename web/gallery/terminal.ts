/** A terminal without a host: a canned screen, a line that echoes what is typed, and a size that can be another's. */
import type { FrameListener } from "@flybridge/client/replica.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import type { Method, Params } from "@flybridge/protocol/methods.ts";
import { encodeFrame, type Frame, type Size, type Whose } from "@flybridge/protocol/terminal.ts";

export interface CannedTerminal {
  /** What a snapshot draws. */
  screen: string;
  size?: Size;
  whose?: Whose;
  ended?: boolean;
  /** Lines that the host keeps above what the snapshot has. */
  earlier?: string[];
  /** Milliseconds until what is typed comes back; undefined: nothing does. */
  echo?: number;
}

export interface CannedTerminals {
  hearFrames(listener: FrameListener): () => void;
  print(session: SessionId, text: string): void;
  send(session: SessionId, frame: Frame): void;
  typed(session: SessionId): string;
  /** Every call that terminals made, in order. */
  readonly calls: { method: string; params: unknown }[];
  page(params: Params<"terminal.page">): { first: number; lines: string[] };
  /** So many lines are kept above what is drawn, by the first terminal. */
  keep(lines: number): void;
  cut(): void;
  back(): void;
}

const PAGE_LINES = 200;
const encoder = new TextEncoder();

export function cannedTerminals(terminals: Record<SessionId, CannedTerminal>): CannedTerminals {
  const listeners = new Set<FrameListener>();
  const offsets = new Map<SessionId, number>();
  const typed = new Map<SessionId, string>();
  const calls: CannedTerminals["calls"] = [];
  let away = false;

  const send = (session: SessionId, frame: Frame): void => {
    if (!away) for (const listener of listeners) void listener.frame(encodeFrame(session, frame));
  };
  const print = (session: SessionId, text: string): void => {
    const bytes = encoder.encode(text);
    const offset = offsets.get(session) ?? 0;
    offsets.set(session, offset + bytes.length);
    send(session, { kind: "output", offset, bytes });
  };
  const answer = (method: Method, params: unknown): unknown => {
    const { session } = params as { session: SessionId };
    const canned = terminals[session];
    if (!canned) throw new Error("The host has no such terminal.");
    canned.size ??= { cols: 80, rows: 24 };
    canned.whose ??= "this";
    switch (method) {
      case "terminal.follow": {
        const bytes = encoder.encode(canned.screen);
        send(session, { kind: "snapshot", offset: offsets.get(session) ?? 0, size: canned.size, bytes });
        return { size: canned.size, whose: canned.whose, ended: canned.ended ?? false };
      }
      case "terminal.resize": {
        const { size, take } = params as Params<"terminal.resize">;
        if (take || canned.whose !== "other") {
          canned.whose = "this";
          canned.size = size;
          send(session, { kind: "size", size, whose: "this" });
        }
        return { size: canned.size, whose: canned.whose };
      }
      case "terminal.input": {
        const { text } = params as Params<"terminal.input">;
        typed.set(session, (typed.get(session) ?? "") + text);
        if (canned.echo !== undefined) print(session, text.replaceAll("\r", "\r\n$ ").replaceAll("\u007f", "\b \b"));
        return {};
      }
      default:
        return {};
    }
  };
  const connection: Parameters<FrameListener["up"]>[0] = {
    send(method, params, answered) {
      calls.push({ method, params: structuredClone(params) });
      const delay = terminals[(params as { session: SessionId }).session]?.echo ?? 5;
      setTimeout(() => {
        if (away) return;
        try {
          answered.ok(answer(method, params) as never);
        } catch (error) {
          answered.failed(error as never);
        }
      }, delay);
    },
  };

  return {
    calls,
    hearFrames(listener) {
      listeners.add(listener);
      if (!away) listener.up(connection);
      return () => listeners.delete(listener);
    },
    print,
    send,
    typed: (session) => typed.get(session) ?? "",
    page({ session, before }) {
      const lines = terminals[session]?.earlier ?? [];
      const end = Math.min(lines.length, before ?? lines.length);
      const first = Math.max(0, end - PAGE_LINES);
      return { first, lines: lines.slice(first, end) };
    },
    keep(lines) {
      const [first] = Object.values(terminals);
      if (first) first.earlier = Array.from({ length: lines }, (_, at) => `kept line ${at}`);
    },
    cut() {
      away = true;
      for (const listener of listeners) listener.down();
    },
    back() {
      away = false;
      for (const listener of listeners) listener.up(connection);
    },
  };
}
