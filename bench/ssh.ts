/** An ssh server of this machine, on loopback, for the echo that people know; undefined where there is none. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

const SERVER = "/usr/sbin/sshd";
const START_TRIES = 50;

export interface Ssh extends AsyncDisposable {
  /** Arguments of `ssh` that run a command there, in a terminal. */
  argv(command: string): readonly [string, ...string[]];
}

/** A server of its own keys, for this user alone, on a port of its own. */
export async function startSsh(): Promise<Ssh | undefined> {
  if (!existsSync(SERVER)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "flybridge-ssh-"));
  const key = join(folder, "key");
  for (const path of [key, join(folder, "host")])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  execFileSync("cp", [`${key}.pub`, join(folder, "authorized")]);
  const port = await freePort();
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host")}`,
    `AuthorizedKeysFile ${join(folder, "authorized")}`,
    `PidFile ${join(folder, "pid")}`,
    "PermitRootLogin yes",
    "StrictModes no",
    "UsePAM no",
  ];
  writeFileSync(join(folder, "config"), `${config.join("\n")}\n`);
  const server = spawn(SERVER, ["-D", "-e", "-f", join(folder, "config")], { stdio: "ignore" });
  const argv = (command: string): readonly [string, ...string[]] => [
    "ssh",
    ..."-tt -q -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=5".split(" "),
    "-p",
    String(port),
    "-i",
    key,
    `${userInfo().username}@127.0.0.1`,
    command,
  ];
  const [program, ...args] = argv("true");
  let isUp = false;
  for (let tries = 0; !isUp && tries < START_TRIES && server.exitCode === null; tries += 1) {
    const [code] = (await once(spawn(program, args, { stdio: "ignore" }), "exit")) as [number | null];
    isUp = code === 0;
  }
  const end = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) {
      const exit = once(server, "exit");
      server.kill();
      await exit;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  if (isUp) return { argv, [Symbol.asyncDispose]: end };
  await end();
  return undefined;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}
