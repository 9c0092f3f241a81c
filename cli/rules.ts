/** `flybridge rules`: what is allowed without asking, and the end of it. */
import type { Rule } from "@flybridge/protocol/rule.ts";
import { shortened, visibleLine } from "@flybridge/protocol/text.ts";
import { command } from "./command.ts";
import { usage } from "./fault.ts";
import { ask, connectHost } from "./local.ts";
import { oneOf, shortBeginnings } from "./prefix.ts";
import { ago } from "./time.ts";

export default command({
  name: "rules",
  about: "Lists what is allowed without asking, or revokes one of these rules.",
  words: [
    { name: "revoke", about: "ends the rule ID: its request is asked again" },
    { name: "ID", about: "a rule, or enough of its id" },
  ],
  flags: {},
  examples: [
    ["flybridge rules", "all of them"],
    ["flybridge rules --json", "one per line"],
    ["flybridge rules revoke 3f9a", "end one"],
  ],
  async run([action, typed], _flags, terminal) {
    if (action !== undefined && action !== "revoke")
      throw usage(`"${visibleLine(action)}" is no action on rules. There is: flybridge rules revoke ID.`);
    if (action === "revoke" && typed === undefined)
      throw usage("ID is missing: which rule to revoke. See flybridge rules.");
    using host = await connectHost(terminal.env);
    const { rules } = await ask(host, host.replica.call("rule.list", {}));
    if (typed !== undefined) {
      const { rule, request } = oneOf(
        rules,
        typed,
        "rule",
        (one) => one.rule,
        (one) => one.request,
      );
      await host.intend("rule.revoke", { rule });
      terminal.print(`Revoked: ${shortened(visibleLine(request), terminal.columns - 10)}`);
      terminal.emit({ revoked: rule });
      return;
    }
    const { devices } = await ask(host, host.replica.call("device.list", {}));
    const short = shortBeginnings(rules.map(({ rule }) => rule));
    const now = Date.now();
    const { style } = terminal;
    for (const rule of rules) {
      terminal.emit(rule);
      const by = devices.find(({ device }) => device === rule.by)?.name ?? "a device that is gone";
      const where = [rule.agent, rule.mode === undefined ? undefined : `mode ${rule.mode}`, rule.workspace];
      terminal.print(
        `${style.dim(short.get(rule.rule) ?? rule.rule)}  ${style.bold(toolText(rule))}  ${shortened(visibleLine(rule.request), terminal.columns)}`,
      );
      terminal.print(`          ${style.dim(visibleLine(where.filter(Boolean).join(" · ")))}`);
      terminal.print(
        `          ${style.dim(`${rule.session === undefined ? "always" : "in one session"} · by ${visibleLine(by)} ${ago(rule.made, now)} · ${usedText(rule, now)}`)}`,
      );
    }
    if (rules.length === 0 && !terminal.json) terminal.note("There are no rules: everything is asked.");
  },
});

function toolText({ tool, server }: Rule): string {
  return visibleLine(server === undefined ? tool : `${tool} (${server})`);
}

function usedText({ used, last }: Rule, now: number): string {
  if (last === undefined) return "not used yet";
  return `used ${used === 1 ? "once" : `${used} times`}, last ${ago(last, now)}`;
}
