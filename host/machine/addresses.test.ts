import assert from "node:assert/strict";
import type { NetworkInterfaceInfo } from "node:os";
import { describe, it } from "node:test";
import { addressesOf } from "./addresses.ts";

const info = (address: string, more: Partial<NetworkInterfaceInfo> = {}): NetworkInterfaceInfo =>
  ({ address, family: address.includes(":") ? "IPv6" : "IPv4", internal: false, ...more }) as NetworkInterfaceInfo;

describe("the addresses of a door", () => {
  const here = {
    lo: [info("127.0.0.1", { internal: true }), info("::1", { internal: true })],
    docker0: [info("172.17.0.1")],
    tailscale0: [info("100.101.2.3")],
    wan0: [info("203.0.113.9")],
    wlan0: [info("192.168.1.5"), info("fd00::5"), info("fe80::5", { scopeid: 3 })],
    eth0: [info("10.0.0.5")],
  };

  it("[B19] are the one it is bound to", () => {
    assert.deepEqual(addressesOf("10.0.0.5", here), ["10.0.0.5"]);
  });

  it("are all of this machine's for a wildcard, where a phone most likely is first", () => {
    const four = ["192.168.1.5", "10.0.0.5", "100.101.2.3", "203.0.113.9"];
    assert.deepEqual(addressesOf("0.0.0.0", here), [...four, "172.17.0.1"]);
    assert.deepEqual(addressesOf("::", here), [...four, "fd00::5", "172.17.0.1"]);
  });

  it("are at most as many as a device tries", () => {
    const many = { eth0: Array.from({ length: 20 }, (_, at) => info(`10.0.0.${at}`)) };
    assert.equal(addressesOf("0.0.0.0", many).length, 8);
  });
});
