/** All commands, each loaded when it is called: `flybridge ls` should not wait for what only `pair` needs. */
import type { Command } from "./command.ts";

interface Listed {
  readonly name: string;
  readonly about: string;
  /** Another name, of two words. */
  readonly also?: string;
  load(): Promise<Command>;
}

/** A command's own types are checked where it is defined; here it is one among others. */
const listed = (
  name: string,
  about: string,
  load: () => Promise<{ readonly default: unknown }>,
  also?: string,
): Listed => ({
  name,
  about,
  ...(also === undefined ? {} : { also }),
  load: async () => (await load()).default as Command,
});
const fromStop = (name: "stop" | "resume" | "interrupt", about: string): Listed => ({
  name,
  about,
  load: async () => (await import("./stop.ts"))[name],
});

export const COMMANDS: readonly Listed[] = [
  listed("up", "start the host on this machine", () => import("./up.ts")),
  listed("down", "end the host; --all ends the agents too", () => import("./down.ts")),
  listed("status", "whether the host runs, and what it holds", () => import("./status.ts")),
  listed("pair", "QR and link for a new device", () => import("./pair.ts")),
  listed("share", "QR and link for one session only", () => import("./share.ts"), "session pair-mobile"),
  listed("confirm", "let a waiting device in, by the digits it shows", () => import("./confirm.ts")),
  listed("devices", "what is paired, and open invitations", () => import("./devices.ts")),
  listed("revoke", "cut a device off, or withdraw an invitation", () => import("./revoke.ts")),
  listed("show-connection-string", "a fresh connection string, alone", () => import("./show-connection-string.ts")),
  listed(
    "regenerate-token",
    "cut every device off, and a fresh connection string",
    () => import("./regenerate-token.ts"),
  ),
  listed("audit", "who came, was let in, or was turned away", () => import("./audit.ts")),
  listed("remote", "the relays by which this host is reached from anywhere", () => import("./remote.ts")),
  listed("relay", "run a relay here", () => import("./relay.ts")),
  listed("verify", "whether the app that a relay serves is this one", () => import("./verify.ts")),
  listed("rules", "what is allowed without asking, and its end", () => import("./rules.ts")),
  listed("run", "start an agent here", () => import("./run.ts"), "session create"),
  listed("ls", "the sessions", () => import("./ls.ts")),
  listed("show", "one session and what it asks", () => import("./show.ts")),
  listed("attach", "follow a session live, take part in it", () => import("./attach.ts"), "session attach"),
  listed("send", "give a session a prompt", () => import("./send.ts")),
  listed("answer", "answer what a session asks", () => import("./answer.ts")),
  fromStop("interrupt", "stop the running turn"),
  fromStop("stop", "end a session's agent"),
  fromStop("resume", "start it again"),
  listed("history", "conversations on this machine, to be gone on with", () => import("./history.ts")),
  listed("hooks", "let agents in other terminals ask here too", () => import("./hooks.ts")),
  listed("logs", "a session's transcript, or the host's log", () => import("./logs.ts")),
  listed("doctor", "what is wrong, and how to mend it", () => import("./doctor.ts")),
];

/** The command that the words begin with, and how many of them are its name. */
export function findCommand(typed: readonly string[]): { readonly command: Listed; readonly words: 1 | 2 } | undefined {
  const two = COMMANDS.find(({ also }) => also !== undefined && also === typed.slice(0, 2).join(" "));
  if (two) return { command: two, words: 2 };
  const one = COMMANDS.find(({ name }) => name === typed[0]);
  return one && { command: one, words: 1 };
}
