/** What a running Claude offers: its commands and its models, in few enough words to be told with every start. */
import type { AgentCommand, AgentOption } from "@flybridge/protocol/agent.ts";
import type { FactOf } from "@flybridge/protocol/entry.ts";
import { MAX_COMMANDS, MAX_LABEL_CHARS, MAX_OPTIONS } from "@flybridge/protocol/limits.ts";
import { shortened } from "@flybridge/protocol/text.ts";
import { listAt, textAt, type Json } from "../json.ts";

/** Characters of a command's description: Claude's own are written for its model, and go on for pages. */
const DETAIL_CHARS = 160;

type Offered = Pick<FactOf<"agent.reported">, "commands" | "models">;

/** Absent where it says nothing of it. */
export function offeredIn(payload: Json | undefined): Offered {
  const commands = listAt(payload, "commands")
    .slice(0, MAX_COMMANDS)
    .map(commandOf)
    .filter((command) => command !== undefined);
  const models = listAt(payload, "models")
    .slice(0, MAX_OPTIONS)
    .map(modelOf)
    .filter((model) => model !== undefined);
  return { ...(commands.length === 0 ? {} : { commands }), ...(models.length === 0 ? {} : { models }) };
}

/** Names that begin with `__` are for programs. One with a space could not be typed. */
function commandOf(command: Json): AgentCommand | undefined {
  const name = textAt(command, "name")?.replace(/^\//u, "") ?? "";
  if (!/^[^\s/]+$/u.test(name) || name.startsWith("__") || name.length > MAX_LABEL_CHARS) return undefined;
  const words = [textAt(command, "argumentHint"), textAt(command, "description")];
  const detail = words.filter((one) => one !== undefined && one.trim() !== "").join(" · ");
  return { name, ...(detail === "" ? {} : { detail: shortened(detail.replaceAll(/\s+/gu, " "), DETAIL_CHARS) }) };
}

function modelOf(model: Json): AgentOption | undefined {
  const value = textAt(model, "value");
  if (value === undefined || value === "" || value.length > MAX_LABEL_CHARS) return undefined;
  const detail = textAt(model, "description");
  return {
    value,
    label: shortened(textAt(model, "displayName") ?? value, MAX_LABEL_CHARS),
    ...(detail === undefined ? {} : { detail: shortened(detail, DETAIL_CHARS) }),
  };
}
