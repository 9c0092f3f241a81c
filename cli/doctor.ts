/** `flybridge doctor`: what is installed, reachable or wrong, and how to mend it; also when no host runs. */
import { execFile } from "node:child_process";
import { accessSync, constants, lstatSync, statSync } from "node:fs";
import type { Result } from "@flybridge/protocol/methods.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { openerFor } from "./browser.ts";
import { command } from "./command.ts";
import { EXIT_FAILED, Fault } from "./fault.ts";
import { ask, connectHost } from "./local.ts";
import { stateOf, type State } from "./shell-file.ts";
import type { Terminal } from "./terminal.ts";

/** The oldest Node that runs the host. */
const OLDEST_NODE = 24;
/** How long an agent's program may take to say its version, in milliseconds. */
const VERSION_MS = 10_000;

type Finding = Result<"host.check">["findings"][number];

export default command({
  name: "doctor",
  about: "Says what is installed, reachable or wrong, and how to mend it. Exit code 1 when something is wrong.",
  flags: {},
  examples: [
    ["flybridge doctor", "look at everything"],
    ["flybridge doctor --json", "one finding per line"],
  ],
  async run(_words, _flags, terminal) {
    let isWell = true;
    const tell = (finding: Finding): void => {
      isWell &&= finding.level !== "error";
      terminal.emit(finding);
      show(finding, terminal);
    };
    const state = stateOf(terminal.env);
    tell(nodeFinding(process.versions.node));
    for (const finding of folderFindings(state)) tell(finding);
    const host = await hostFindings(terminal);
    for (const finding of host) tell(finding);
    // A host says itself which agents it found.
    if (host.length === 1) tell(await claudeFinding(terminal.env));
    tell(browserFinding(terminal.env));
    return isWell ? 0 : EXIT_FAILED;
  },
});

function show({ level, about, message, mend }: Finding, { print, style }: Terminal): void {
  const mark = level === "ok" ? style.good("✓") : level === "warning" ? style.bold("!") : style.bad("✗");
  print(`${mark} ${style.bold(visibleLine(about))}  ${visible(message)}`);
  if (mend !== undefined) print(`    ${visible(mend)}`);
}

function nodeFinding(version: string): Finding {
  if (Number(version.split(".")[0]) >= OLDEST_NODE)
    return { level: "ok", about: "node", message: `Version ${version}.` };
  return {
    level: "error",
    about: "node",
    message: `Version ${version} is too old for the host.`,
    mend: `Start Flybridge by its own command, which brings Node ${OLDEST_NODE}.`,
  };
}

function folderFindings({ root, shell }: State): Finding[] {
  const about = "state folder";
  try {
    const stat = lstatSync(root);
    if (!stat.isDirectory())
      return [
        {
          level: "error",
          about,
          message: `${root} is not a folder.`,
          mend: "Move it away, or point FLYBRIDGE_HOME elsewhere.",
        },
      ];
    accessSync(root, constants.R_OK | constants.W_OK | constants.X_OK);
    const findings = [root, shell].flatMap((path) => openTo(path));
    return findings.length > 0 ? findings : [{ level: "ok", about, message: root }];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      return [{ level: "ok", about, message: `${root} is not there yet; the first up makes it.` }];
    return [
      {
        level: "error",
        about,
        message: `${root} cannot be used: ${(error as Error).message}.`,
        mend: "Give it to yourself (chown, chmod 700), or point FLYBRIDGE_HOME at a folder of your own.",
      },
    ];
  }
}

function openTo(path: string): Finding[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat || (stat.mode & 0o077) === 0) return [];
  return [
    {
      level: "error",
      about: "state folder",
      message: `${path} is open to other users of this machine.`,
      mend: `chmod go= ${path}`,
    },
  ];
}

async function hostFindings({ env }: Terminal): Promise<Finding[]> {
  const about = "host";
  try {
    using host = await connectHost(env);
    const { replica } = host;
    const [{ name, version }, { findings }] = await ask(
      host,
      Promise.all([replica.call("host.read", {}), replica.call("host.check", {})]),
    );
    return [{ level: "ok", about, message: `${name} answers, version ${version}.` }, ...findings];
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const level = error.code === "not_running" ? "warning" : "error";
    return [{ level, about, message: error.message }];
  }
}

function claudeFinding(env: NodeJS.ProcessEnv): Promise<Finding> {
  const about = "Claude Code";
  return new Promise((resolve) => {
    execFile("claude", ["--version"], { env, timeout: VERSION_MS }, (error, stdout) => {
      if (!error) return resolve({ level: "ok", about, message: `Found, ${stdout.trim()}.` });
      const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
      resolve({
        level: "warning",
        about,
        message: isMissing ? "There is no claude on your PATH." : `claude does not run: ${error.message.trim()}`,
        mend: "Install it with npm install -g @anthropic-ai/claude-code, then run claude once to sign in. The demo agent works without it.",
      });
    });
  });
}

function browserFinding(env: NodeJS.ProcessEnv): Finding {
  const about = "browser";
  const opener = openerFor(process.platform, env);
  if (opener === undefined)
    return { level: "ok", about, message: "There is no desktop here; open the link on another device." };
  return { level: "ok", about, message: `up opens the app with ${opener}.` };
}
