/** `flybridge audit`: who came, was let in to what, or was turned away; and whether that log is whole. */
import type { AuditRow } from "@flybridge/protocol/audit.ts";
import type { Device } from "@flybridge/protocol/device.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { command } from "./command.ts";
import { EXIT_FAILED, usage } from "./fault.ts";
import { ask, connectHost, type LocalHost } from "./local.ts";
import type { Style, Terminal } from "./terminal.ts";
import { stamp } from "./time.ts";

const LIMIT = 50;
const MAX_LIMIT = 100_000;
/** Of a device's id, where its name is not known any more. */
const ID_CHARS = 8;

export default command({
  name: "audit",
  about: "Shows the audit log, newest row last, or checks that no row of it was removed, changed or moved.",
  words: [{ name: "verify", about: "check the whole log; exit code 1 when something is wrong" }],
  flags: { limit: { type: "string", value: "N", about: `how many rows; ${LIMIT} if not given` } },
  examples: [
    ["flybridge audit", "what happened last"],
    ["flybridge audit --limit 500 --json", "more, one row per line"],
    ["flybridge audit verify", "is it whole?"],
  ],
  async run([action], flags, terminal) {
    if (action !== undefined && action !== "verify")
      throw usage(`"${visibleLine(action)}" is nothing to do with the log. There is: flybridge audit verify.`);
    const limit = flags.limit === undefined ? LIMIT : limitFrom(flags.limit);
    using host = await connectHost(terminal.env);
    if (action === "verify") return await verify(host, terminal);
    const rows = await newest(host, limit);
    const { devices } = await ask(host, host.replica.call("device.list", {}));
    for (const row of rows) {
      terminal.emit(row);
      terminal.print(rowText(row, devices, terminal.style));
    }
    return 0;
  },
});

async function newest(host: LocalHost, limit: number): Promise<AuditRow[]> {
  let rows: AuditRow[] = [];
  for (let more = true; more && rows.length < limit;) {
    const [oldest] = rows;
    const page = await ask(host, host.replica.call("audit.list", oldest === undefined ? {} : { before: oldest.seq }));
    rows = [...page.rows, ...rows];
    more = page.more && page.rows.length > 0;
  }
  return rows.slice(-limit);
}

async function verify(host: LocalHost, terminal: Terminal): Promise<number> {
  const found = await ask(host, host.replica.call("audit.verify", {}));
  const { rows, head, key, fault } = found;
  terminal.emit({ intact: fault === undefined, ...found });
  if (fault !== undefined) {
    terminal.print(`${terminal.style.bad("Not intact.")} ${visibleLine(fault.message)}`);
    terminal.print("Rows before it are as they were written; what comes after it proves nothing.");
    return EXIT_FAILED;
  }
  terminal.print(`${terminal.style.good("Intact:")} ${rows} rows.`);
  if (head) terminal.print(`head  ${head.seq}  ${head.hash}`);
  terminal.print(`key   ${key}`);
  return 0;
}

function rowText({ seq, at, event, device, by, detail }: AuditRow, devices: readonly Device[], style: Style): string {
  const named = (id: DeviceId): string =>
    visibleLine(devices.find((one) => one.device === id)?.name ?? id.slice(0, ID_CHARS));
  const told = [
    ...(detail === "" ? [] : [visibleLine(detail)]),
    // A row about a device names it in its detail.
    ...(by === undefined || by === device ? [] : [style.dim(`by ${named(by)}`)]),
  ];
  return `${style.dim(`${String(seq).padStart(5)}  ${stamp(at)}`)}  ${event.replace(".", " ").padEnd(17)}  ${told.join(" · ")}`.trimEnd();
}

function limitFrom(text: string): number {
  const limit = Number(text);
  if (/^\d{1,6}$/u.test(text) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw usage(`--limit ${text} is not a number from 1 to ${MAX_LIMIT}.`);
}
