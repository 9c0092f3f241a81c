/** What an ask on a screen is made of, and so how it is answered. Plain JSON. */

export type AskKind = "choice" | "confirm" | "text" | "secret";

export interface Option {
  readonly label: string;
  readonly detail?: string;
  /** What to type for it: a digit, a letter, a word. */
  readonly key?: string;
  readonly checked?: boolean;
  /** It is no answer of its own: picking it opens a field for one's own words. */
  readonly free?: true;
  /** It is no answer either: picking it sends the checked ones. */
  readonly submit?: true;
}

export interface Shape {
  readonly asks: AskKind;
  /**
   * `line`: words and Enter at a prompt. `keys`: an option's key, and Enter where the program waits for one. `enter`:
   * Enter alone. `menu`: a highlight is moved to an option. `field`: words in a field that a program draws. `box`: a
   * dialog box with buttons below.
   */
  readonly by: "line" | "keys" | "enter" | "menu" | "field" | "box";
  /** As on the screen, all of them, also those that are no answers. */
  readonly options: readonly Option[];
  /** The highlighted option, where it can be told. */
  readonly at?: number;
  readonly many?: true;
  /** The options stand side by side. */
  readonly across?: true;
  /** What stands in the field already; never that of a secret. */
  readonly typed?: string;
  /** The labels of the buttons below a box, and which of them has the focus. */
  readonly buttons?: readonly string[];
  readonly button?: number;
  /** The box moves by control keys: its arrow keys depend on a mode of the terminal. */
  readonly control?: true;
  readonly agent?: AgentName;
  /** The program's own way to say no: an option, or the Escape key. */
  readonly no?: number | "escape";
}

/** The agents whose dialogs are known. */
export type AgentName = "claude" | "codex" | "gemini" | "opencode";

/** What a reader of one kind of prompt has found. */
export interface Found {
  readonly question: string;
  /** What stands before the question and is needed to decide. */
  readonly context?: string;
  readonly title?: string;
  readonly shape: Shape;
  /** Where it begins and ends, as places in the view's rows. */
  readonly top: number;
  readonly end: number;
}
