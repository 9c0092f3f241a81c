/** `flybridge attach`: a session as it goes by, and the means to take part in it. */
import type { SessionView } from "@flybridge/client/view.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { askLines } from "./ask.ts";
import { command } from "./command.ts";
import { decide } from "./decide.ts";
import { entriesAfter } from "./entries.ts";
import { Fault } from "./fault.ts";
import { type Key, openKeyboard } from "./keyboard.ts";
import { connectHost, type LocalHost } from "./local.ts";
import { showScreen } from "./screen.ts";
import { sessionIdOf } from "./session.ts";
import type { Terminal } from "./terminal.ts";
import { makeTranscript, type Transcript } from "./transcript.ts";
import { until, watch } from "./watch.ts";

/** How soon a second Ctrl-C means "leave" and not "interrupt", in milliseconds. */
const TWICE_MS = 3_000;

export default command({
  name: "attach",
  about:
    "Follows a session live. In a terminal you can type, answer and interrupt; in a pipe it prints until the agent ends. A session that is a terminal has all your keys but Ctrl-\\, which leaves it.",
  words: [{ name: "ID", about: "a session, or enough of its id", required: true }],
  flags: {},
  examples: [
    ["flybridge attach 9f3c21ab", "type to send, Enter answers, Ctrl-C interrupts, then leaves"],
    ["flybridge attach 9f3c21ab | tee session.log", "as plain text; of a terminal, what its program writes"],
    ["flybridge attach 9f3c21ab --json", "every entry of its journal, one per line"],
  ],
  async run([typed = ""], _flags, terminal) {
    using host = await connectHost(terminal.env);
    return await attach(host, await sessionIdOf(host, typed), terminal);
  },
});

export async function attach(host: LocalHost, session: SessionId, terminal: Terminal): Promise<void> {
  if (terminal.json) {
    for await (const entry of entriesAfter(host, session, 0, hasEnded)) terminal.emit(entry);
    return;
  }
  const opened = host.replica.open(session);
  try {
    const live = until(opened.view, ({ live: isLive, gone }) => {
      if (gone !== undefined) throw new Fault("not_found", gone);
      return isLive ? true : undefined;
    });
    await Promise.race([live, host.lost]);
    if (opened.view.value.state?.terminal === true) return await showScreen(host, session, terminal);
    if (opened.view.value.from > 1)
      terminal.print(
        terminal.style.dim(`… ${opened.view.value.from - 1} earlier entries: flybridge logs ${session} --all`),
      );
    const transcript = makeTranscript({ write: terminal.write, style: terminal.style, nameOf: namer(host) });
    await (terminal.interactive
      ? takePart(host, session, opened.view, transcript, terminal)
      : read(host, opened.view, transcript));
    transcript.breakLine();
    const { state } = opened.view.value;
    if (state && hasEnded(state)) terminal.note(`The agent has ended. Start it again with flybridge resume ${session}`);
  } finally {
    opened.close();
  }
}

export function hasEnded({ status }: SessionState): boolean {
  return status.kind === "ended";
}

export function namer(host: LocalHost): (device: DeviceId) => string {
  return (device) =>
    device === host.file.device
      ? "this shell"
      : visibleLine(host.replica.view.value.devices[device]?.name ?? "another device");
}

async function read(
  host: LocalHost,
  view: ReturnType<LocalHost["replica"]["open"]>["view"],
  transcript: Transcript,
): Promise<void> {
  const end = until(view, (now) => {
    transcript.show(now);
    return now.live && now.state && hasEnded(now.state) ? true : undefined;
  });
  await Promise.race([end, host.lost]);
}

/**
 * One thing at a time has the keyboard: watching (keys), writing a prompt (a line), deciding (an ask). While one writes
 * or decides, what happens is held back and printed after it, so that nothing moves under the hand.
 */
async function takePart(
  host: LocalHost,
  session: SessionId,
  view: ReturnType<LocalHost["replica"]["open"]>["view"],
  transcript: Transcript,
  terminal: Terminal,
): Promise<void> {
  const { note, style } = terminal;
  using keyboard = openKeyboard();
  note(style.dim("Type to send · Enter answers an ask · Ctrl-C interrupts, again leaves · Ctrl-D leaves"));
  let lastInterrupt = -Infinity;
  for (;;) {
    const key = await watching(host, view, transcript, keyboard.next());
    if (key === "ended" || key.kind === "leave") return;
    if (key.kind === "interrupt") {
      const { state } = view.value;
      const isBusy = state?.status.kind === "running" || state?.status.kind === "waiting";
      if (!isBusy || Date.now() - lastInterrupt < TWICE_MS) return;
      lastInterrupt = Date.now();
      transcript.breakLine();
      note(style.dim("Interrupting. Ctrl-C again leaves; the session goes on."));
      await tried(host.intend("session.interrupt", { session }), note);
      continue;
    }
    transcript.breakLine();
    const open = view.value.state?.asks[0];
    if (key.kind === "enter" && open) {
      await answered(host, session, view, open.ask, terminal);
      continue;
    }
    const text = key.kind === "line" ? key.text : await keyboard.line("› ", key.kind === "text" ? key.text : "");
    if (text !== undefined && text.trim() !== "")
      await tried(host.intend("session.prompt", { session, text, delivery: "queue" }), note);
  }
}

/** Prints what happens until a key is pressed or the agent ends. */
async function watching(
  host: LocalHost,
  view: ReturnType<LocalHost["replica"]["open"]>["view"],
  transcript: Transcript,
  key: Promise<Key>,
): Promise<Key | "ended"> {
  const show = (now: SessionView): void => transcript.show(now);
  const stop = watch(view, show);
  const stopWaiting = new AbortController();
  try {
    show(view.value);
    const end = until(
      view,
      ({ live, state }) => (live && state && hasEnded(state) ? ("ended" as const) : undefined),
      stopWaiting.signal,
    );
    end.catch(() => {});
    return await Promise.race([key, end, host.lost]);
  } finally {
    stop();
    stopWaiting.abort();
  }
}

async function answered(
  host: LocalHost,
  session: SessionId,
  view: ReturnType<LocalHost["replica"]["open"]>["view"],
  ask: SessionState["asks"][number]["ask"],
  { print, note, style }: Terminal,
): Promise<void> {
  const elsewhere = new AbortController();
  const stop = watch(view, ({ state }) => {
    if (!state?.asks.some((one) => one.ask.ask === ask.ask)) elsewhere.abort();
  });
  try {
    // The only one stands right above; of several, the one that is meant is shown again.
    if ((view.value.state?.asks.length ?? 0) > 1) for (const line of askLines(ask, style)) print(line);
    const answer = await decide(ask, elsewhere.signal);
    if (elsewhere.signal.aborted) note("It was settled elsewhere.");
    else if (answer) await tried(host.intend("ask.answer", { session, ask: ask.ask, answer }), note);
  } finally {
    stop();
  }
}

/** What the host refuses is said; it does not end the watching. */
async function tried(doing: Promise<unknown>, note: (line: string) => void): Promise<void> {
  try {
    await doing;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    note(visibleLine(error.message));
  }
}
