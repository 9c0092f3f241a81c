/** What stands at the end of a screen that waits for no answer: shells, interpreters, pagers, editors, monitors. */
import type { Row, View } from "./rows.ts";

const VENV = String.raw`(?:\([^)]{1,40}\) ?)?`;
const SHELL_NAME = String.raw`(?:ba|z|da|k|a|c|tc|fi)?sh-?[\d.]*`;
const SHELL = [
  // user@host:~/w$   [root@host dir]#   user@host ~ %
  new RegExp(String.raw`^${VENV}(?:┌──)?\[?[\w.-]+@[\w.-]+[:\s\]][^$#%>❯➜λ»]{0,200}[$#%>❯➜λ»](?:\s|$)`, "u"),
  /^\[[^\]]{1,80}\] ?[$#%](?: |$)/u,
  // bash-5.2$   ~/src $   /etc #   (venv) $   host%
  new RegExp(String.raw`^${VENV}(?:${SHELL_NAME}|~?[\w./~-]{1,120}) ?[$%❯➜λ](?:\s|$)`, "u"),
  new RegExp(String.raw`^${VENV}(?:${SHELL_NAME}|~|~?/[\w.~/-]{0,120}) ?[#>»›](?:\s|$)`, "u"),
  new RegExp(String.raw`^${VENV}[$#%❯➜λ»]$`, "u"),
  // A command behind a bare prompt.
  /^[$%] \S/u,
  /^➜ {2}\S/u,
  /^(?:PS )?[A-Z]:\\[^>]{0,200}>/u,
  /^PS [/~][^>]{0,200}>/u,
  /^[╰└]─+[$#%❯➜>λ]/u,
];

const INTERPRETERS =
  "mysql|mariadb|sqlite3?|sftp|ftp|lftp|telnet|mongo|mongosh|redis|scala|jshell|ghci|prelude|php|lua|node|deno|bun|julia|irb|pry|iex|erl|sage|gnuplot|octave|smb|nslookup|ncftp|debugfs|virsh|lldb|gdb|pdb|cypher|ksql|hive|presto|trino|duckdb|clickhouse|scheme|guile|clj|user|hy|utop|sml|ocaml|gpg";
const INTERPRETER = [
  /^>>>(?:\s|$)/u,
  /^\.\.\.(?:\s|$)/u,
  /^(?:In|Out) ?\[\d*\]:/u,
  /^\s*\.{3,}:/u,
  // shop=#   ftp>   irb(main):001:0>   iex(1)>   test>
  /^(?=\w)[\w.-]{1,40}(?:\([^)]{0,40}\))?(?::\d+){0,2}[=\-*'"$@!^~(]?[#>*](?:\s|$)/u,
  new RegExp(String.raw`^(?:${INTERPRETERS})(?:\b|[(/])[^:?]{0,60}(?::\d+){0,2}[>$#%](?:\s|$)`, "iu"),
  /^\((?:gdb|lldb|i?pdb\+*|rdb\S*|byebug|parted|jdb|dlv|cmd|rr|udb)\)(?:\s|$)/iu,
  /^(?:MariaDB|MySQL) \[[^\]]*\]>/u,
  /^\d{1,3}(?:\.\d{1,3}){3}:\d+(?:\[\d+\])?>/u,
  /^[\w.-]+(?:\/\w+)?@[\w.:-]+>/u,
  /^\[\d+\] (?:pry|guile|irb)\(.*\)>/iu,
  /^not connected>/u,
  /^\w+ \w+\([\w/.-]+\) >/u,
  /^(?:λ>|ghci>|\?-|\|:|\*)$/u,
];

const PAGER = [
  /^:$/u,
  /\(END\)/u,
  /^--\s?More\s?--/iu,
  /^--More--/iu,
  /^lines? \d+-\d+/u,
  /^~$/u,
  /\(press (?:h for help|RETURN)/iu,
  /^(?:Manual page|Help for|HELP --) /u,
  /press RETURN when done|Press 'q' to (?:quit|exit)|\bq to quit\b|\bq:\s?quit\b/iu,
  /^\/\S*$/u,
  /^Pattern not found/u,
  /^\S.{0,200} (?:lines )?\d+-\d+(?:\/\d+)?(?: \(END\)| \d+%| byte)/u,
];

const EDITOR = [
  /^-- ?(?:INSERT|VISUAL|REPLACE|NORMAL|INS|SELECT|COMMAND)/u,
  /^(?:NORMAL|INSERT|VISUAL|REPLACE|COMMAND|SEARCH|NOR|INS|SEL)\s/u,
  /^".{0,200}"(?: \[[^\]]*\])*(?:,? \d+(?:L|\s?lines?)?|\s*$)/u,
  /\s\d+,\d+(?:-\d+)?\s+(?:All|Top|Bot|\d{1,2}%)$/u,
  /^\^[A-Z_\\/^] \S/u,
  /\s\^[A-Z] \S.*\s\^[A-Z] \S/u,
  /^-[-U%*:]{2,}.*(?:\([A-Z][^)]*\)|F\d|L\d)/u,
  /or type command to continue/iu,
  /^E\d{1,4}: /u,
  /^:[\w%!'<,.$ ]*$/u,
];

const MONITOR = [
  /^F1\s?Help/u,
  /F\d{1,2}\s?\S+\s+F\d{1,2}\s?\S+/u,
  /^\s*1[A-Z]\w*\s+2[A-Z]\w*\s+3[A-Z]/u,
  /\b(?:load average|Tasks:)/u,
];

/** Lines that a program writes while it works, or to whoever watches it. */
const WATCHED =
  /\b(?:ctrl[ +-]c|\^C)\b.{0,30}(?:stop|quit|exit|cancel|abort|shut|kill)|watching for|waiting for (?:file )?changes|press (?:h|q|r|u|a|f|p|o|t|w|\?|[a-z])\b(?! or)|to restart at any time|listening (?:on|at)|hit \S+ to (?:quit|stop|reload)/iu;

export function isShellPrompt(said: string): boolean {
  return SHELL.some((one) => one.test(said));
}

export function isInterpreter(said: string): boolean {
  return INTERPRETER.some((one) => one.test(said));
}

/** Whether the last row says that nobody is asked anything. */
export function isAtRest(view: View, last: Row): boolean {
  const said = last.said.slice(0, 300);
  const raw = last.raw.trim().slice(0, 300);
  if ((isShellPrompt(said) || isShellPrompt(raw)) && !isMarkOfPrompt(view, said)) return true;
  // What is asked right above turns the mark of a shell or an interpreter into that of a prompt.
  const above = view.rows[view.rows.indexOf(last) - 1]?.said ?? "";
  if (
    isInterpreter(said) &&
    !(said === ">>>" && /\b(?:press enter|yes\|no)\b/iu.test(above)) &&
    !(NAMED.test(said) && LEADS.test(above))
  )
    return true;
  if (
    PAGER.some((one) => one.test(said)) ||
    EDITOR.some((one) => one.test(raw)) ||
    MONITOR.some((one) => one.test(raw))
  )
    return true;
  // Below its own rows an editor may ask: `[Y]es, (N)o, (C)ancel:`.
  return !/[[(]\p{L}[\])]\p{L}*.*[:?]$/u.test(said) && isEditorBody(view);
}

/** `❯` alone, below a yes or no. */
function isMarkOfPrompt(view: View, said: string): boolean {
  const above = view.rows.at(-2)?.said ?? "";
  return /^[❯»›>]$/u.test(said) && /\((?:yes\/no|y\/n)\)\s*(?:\[\w{1,3}\])?:?$/iu.test(above);
}

/** `name>`, which any interpreter may also have. */
const NAMED = /^[\w.-]{1,40}>$/u;
const LEADS = /^(?:please )?(?:enter|choose|select|type|pick)\b|^\s*\\ \(/iu;

export function isWatched(said: string): boolean {
  return WATCHED.test(said);
}

/** Empty lines of vi are tildes down the left side. */
function isEditorBody(view: View): boolean {
  let tildes = 0;
  for (let at = view.rows.length - 1; at >= 0 && at > view.rows.length - 12; at--) {
    if (view.rows[at]?.raw.trimEnd() === "~") tildes += 1;
  }
  return tildes >= 3;
}
