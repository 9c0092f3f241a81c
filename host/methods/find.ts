/** Files to mention in a prompt. Only paths leave the host here, never a file's content. */
import { isAbsolute } from "node:path";
import { CallError } from "@flybridge/protocol/error.ts";
import type { Queries } from "../doors/desk.ts";
import type { Sessions } from "../live/sessions.ts";

/** What walks a folder. */
interface Finder {
  find(folder: string, text: string): Promise<string[]>;
}

export function findQueries(around: {
  readonly sessions: Sessions;
  readonly finder: Finder;
}): Pick<Queries, "session.find" | "workspace.find"> {
  const { sessions, finder } = around;
  const find = async (folder: string, text: string): Promise<{ paths: string[] }> => {
    try {
      return { paths: await finder.find(folder, text) };
    } catch {
      throw new CallError("not_found", `There is no folder ${folder} on this host, or it cannot be looked into.`);
    }
  };
  return {
    "session.find": ({ session, text }) => find(sessions.get(session).state.workspace, text),
    "workspace.find": ({ path, text }) => {
      if (!isAbsolute(path)) throw new CallError("bad_params", "Give an absolute path.");
      return find(path, text);
    },
  };
}
