/** What runs elsewhere on this machine, all of it: looked at from here, and heard where it has this host's hook. */
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Agent } from "../agents/agent.ts";
import type { ScreenAgent } from "../agents/screen-agent.ts";
import type { Journal, SessionShelf } from "../core/ports.ts";
import type { Sessions } from "../live/sessions.ts";
import { makeHookDesk } from "./hook-desk.ts";
import { openHookDoor } from "./hook-door.ts";
import { type HookProgram, renewHookProgram } from "./hook-program.ts";
import { makeOutside, type OutsideSessions } from "./outside.ts";

const ANSWER_THERE = "Answer it in its own terminal.";

export interface OutsideHere extends AsyncDisposable, Pick<OutsideSessions, "run" | "present"> {
  /** Once the sessions are there. Rejects when the door for hooks cannot be opened. */
  start(sessions: Sessions): Promise<void>;
}

export function openOutside(options: {
  readonly agents: readonly (Agent | ScreenAgent)[];
  readonly env: Readonly<Record<string, string>>;
  readonly journal: Journal;
  readonly shelf: SessionShelf;
  readonly hook: HookProgram;
  readonly keeper: () => number;
  readonly now: () => number;
  readonly after: (milliseconds: number, work: () => void) => Disposable;
  readonly log: (message: string, detail: Record<string, unknown>) => void;
}): OutsideHere {
  const { agents, env, hook, log } = options;
  const elsewhere = async (name: AgentName): Promise<string> => {
    const agent = agents.find((one) => one.name === name);
    const state = agent && !("speaks" in agent) && (await agent.hooks?.inspect(env, hook.program))?.state;
    if (state !== "absent") return ANSWER_THERE;
    return `${ANSWER_THERE} To answer such questions from here, install the hook: flybridge hooks install.`;
  };
  const desk = makeHookDesk({
    agents,
    outside: { sessionOf: (agent, conversation) => outside.sessionOf(agent, conversation) },
    after: options.after,
    log,
  });
  const outside = makeOutside({ ...options, elsewhere, looked: (present) => desk.looked(present) });
  const held = new AsyncDisposableStack();
  held.use(outside);
  held.use(desk);
  return {
    run: outside.run,
    get present() {
      return outside.present;
    },
    async start(sessions) {
      renewHookProgram(hook);
      desk.start(sessions);
      outside.start(sessions);
      held.use(await openHookDoor({ path: hook.socket, enter: (one) => desk.enter(one) }));
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
