/** What a session needs of the world around it. */
import type { Agent } from "../agents/agent.ts";
import type { ScreenAgent } from "../agents/screen-agent.ts";
import type { AgentMark, AttachmentShelf, Journal, RuleShelf, SessionShelf } from "../core/ports.ts";
import type { Hands } from "./child.ts";
import type { Ledger } from "./ledger.ts";
import type { Running } from "./running.ts";
import type { Writer } from "./writer.ts";

export interface Surroundings {
  readonly journal: Journal;
  readonly shelf: SessionShelf;
  readonly writer: Writer;
  readonly hands: Hands;
  readonly rules: RuleShelf;
  readonly attachments: AttachmentShelf;
  readonly agent: Agent | ScreenAgent;
  /** What runs a session whose process was started elsewhere, while that lives. */
  readonly outside?: ((ledger: Ledger, mark: AgentMark, grown: () => void) => Running) | undefined;
  readonly env: Readonly<Record<string, string>>;
  now(): number;
  after(milliseconds: number, work: () => void): Disposable;
  log(message: string, detail: Record<string, unknown>): void;
}
