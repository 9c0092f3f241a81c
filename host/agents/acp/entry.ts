/** One ACP agent as one line of configuration: what it is called, how it is started, and what is odd about it. */

export interface AcpEntry {
  /** As sessions name it: `[a-z][a-z0-9-]*`. */
  readonly name: string;
  /** The name people know it by. */
  readonly title: string;
  /** A program, by an absolute path or as it is found on the PATH, and the arguments with which it speaks ACP. */
  readonly command: readonly [string, ...string[]];
  /** Set for its process, over what the host has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Installs it; run in a terminal when the person says so. */
  readonly install?: readonly [string, ...string[]];
  /** Where installing it is described, for those that no single command installs everywhere. */
  readonly page?: string;
  /** Says its version when it is started with `--version` alone. What is not known to do so is not tried: it may start. */
  readonly versioned?: boolean;
  /** What is there when somebody has signed in; one of them is enough. Absent where that cannot be seen from outside. */
  readonly signIn?: {
    /** Variables of the environment, with the method that they stand for (`authMethods[].id`). */
    readonly variables: readonly { readonly variable: string; readonly method?: string }[];
    /** Files, from the home folder. */
    readonly files: readonly string[];
    /** What to do, as an instruction to a person. */
    readonly how: string;
  };
  /** The modes in which it asks, best first, for those whose own first mode lets something else decide. */
  readonly asks?: readonly string[];
}
