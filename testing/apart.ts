/**
 * Three machines made of network namespaces: a host and a phone that have no way to each other, and a relay that both
 * reach at one address. It forwards nothing: what gets from one to the other goes through the relay.
 *
 *   host 10.78.1.2 ── 10.78.1.1 relay 10.78.2.1 ── 10.78.2.2 phone
 *                          10.78.9.9
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Browser, chromium } from "playwright-core";
import { makeAuthority } from "./authority.ts";
import { chromiumPath } from "./browser.ts";

/** Where both find the relay. */
export const RELAY_ADDRESS = "10.78.9.9";
const NETS = { host: "10.78.1", phone: "10.78.2" } as const;

export type Side = keyof typeof NETS;

export interface Apart extends Disposable {
  /** Words before a program's own, to start it there. */
  under(machine: Side | "relay"): string[];
  /** The wire between that side and the relay. */
  unplug(side: Side): void;
  plug(side: Side): void;
  /** Gives the phone another address, and takes the one it had: its programs are told nothing else. */
  move(): void;
  /** The same, with no network for that long in between, as between two of them. In milliseconds. */
  roam(awayMs: number): Promise<void>;
  /** How many UDP datagrams have come to the relay's machine so far. The relay itself takes none. */
  datagrams(): number;
}

/** Why there can be none here; undefined when there can. */
export function whyNotApart(): string | undefined {
  return process.platform !== "linux" || process.getuid?.() !== 0
    ? "needs root on Linux, for networks of its own"
    : undefined;
}

/** Throws when a namespace cannot be made. */
export function makeApart(): Apart {
  const names = {
    host: `fb${process.pid}ah`,
    phone: `fb${process.pid}ap`,
    relay: `fb${process.pid}ar`,
  };
  const wireOf = (side: Side): string => `wire${side === "host" ? 1 : 2}`;
  const undo = (): void => {
    for (const name of Object.values(names)) spawnSync("ip", ["netns", "delete", name]);
  };
  let moved = 2;
  const address = (side: Side, verb: "add" | "delete", last: number): void =>
    ip("-n", names[side], "address", verb, `${NETS[side]}.${last}/24`, "dev", "wire");
  const route = (side: Side): void => ip("-n", names[side], "route", "replace", "default", "via", `${NETS[side]}.1`);
  try {
    for (const name of Object.values(names)) {
      ip("netns", "add", name);
      // Its addresses come seconds later, and a browser takes that for another network and drops what it loads.
      sysctl(name, "net.ipv6.conf.all.disable_ipv6=1");
      sysctl(name, "net.ipv6.conf.default.disable_ipv6=1");
      ip("-n", name, "link", "set", "lo", "up");
    }
    ip("-n", names.relay, "address", "add", `${RELAY_ADDRESS}/32`, "dev", "lo");
    for (const side of ["host", "phone"] as const) {
      ip(
        "link",
        "add",
        "wire",
        "netns",
        names[side],
        "type",
        "veth",
        "peer",
        "name",
        wireOf(side),
        "netns",
        names.relay,
      );
      address(side, "add", 2);
      ip("-n", names.relay, "address", "add", `${NETS[side]}.1/24`, "dev", wireOf(side));
      ip("-n", names[side], "link", "set", "wire", "up");
      ip("-n", names.relay, "link", "set", wireOf(side), "up");
      route(side);
    }
    sysctl(names.relay, "net.ipv4.ip_forward=0");
    // The second address of a network does not go with the first.
    sysctl(names.phone, "net.ipv4.conf.wire.promote_secondaries=1");
  } catch (error) {
    undo();
    throw error;
  }
  const move = (): void => {
    address("phone", "add", moved + 1);
    address("phone", "delete", moved);
    moved += 1;
  };
  return {
    under: (machine) => ["ip", "netns", "exec", names[machine]],
    unplug: (side) => ip("-n", names.relay, "link", "set", wireOf(side), "down"),
    plug: (side) => ip("-n", names.relay, "link", "set", wireOf(side), "up"),
    move() {
      move();
      route("phone");
    },
    async roam(awayMs) {
      ip("-n", names.phone, "link", "set", "wire", "down");
      move();
      await setTimeout(awayMs);
      ip("-n", names.phone, "link", "set", "wire", "up");
      route("phone");
    },
    datagrams() {
      const text = execFileSync("ip", ["netns", "exec", names.relay, "cat", "/proc/net/snmp"], { encoding: "utf8" });
      return Number(/^Udp: (\d+) /mu.exec(text)?.[1]);
    },
    [Symbol.dispose]: undo,
  };
}

/** An authority of the test's own, and a certificate of the relay's by it, in files of that folder. */
export async function makeCertificates(folder: string): Promise<{ ca: string; cert: string; key: string }> {
  const authority = await makeAuthority();
  const signed = await authority.sign([RELAY_ADDRESS]);
  const files = { ca: join(folder, "ca.pem"), cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  writeFileSync(files.ca, authority.cert);
  writeFileSync(files.cert, signed.cert);
  writeFileSync(files.key, signed.key, { mode: 0o600 });
  return files;
}

/** Chromium on the phone; what starts it lies in that folder. */
export function launchOnPhone(apart: Apart, folder: string, args: readonly string[] = []): Promise<Browser> {
  const wrapper = join(folder, "chromium");
  writeFileSync(wrapper, `#!/bin/sh\nexec ${apart.under("phone").join(" ")} ${chromiumPath()} "$@"\n`);
  chmodSync(wrapper, 0o755);
  return chromium.launch({
    executablePath: wrapper,
    args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", ...args],
  });
}

function sysctl(name: string, setting: string): void {
  execFileSync("ip", ["netns", "exec", name, "sysctl", "-qw", setting]);
}

function ip(...words: string[]): void {
  execFileSync("ip", words, { stdio: ["ignore", "ignore", "pipe"] });
}
