/** An nginx that hands on bytes from one port to another and looks at none of them; undefined where there is none. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "./ssh.ts";

const TRIES = 100;
const LOOK_MS = 20;
/** Where it is that is not on everybody's PATH. */
const FOLDER = "/usr/sbin";

export interface Nginx extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

export async function startNginx(to: number): Promise<Nginx | undefined> {
  const program = [...(process.env["PATH"] ?? "").split(delimiter), FOLDER]
    .map((folder) => join(folder, "nginx"))
    .find((path) => existsSync(path));
  if (program === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "flybridge-nginx-"));
  // Debian has it as a module of its own.
  const module = join(dirname(program), "..", "lib", "nginx", "modules", "ngx_stream_module.so");
  const port = await freePort();
  const configuration = [
    ...(existsSync(module) ? [`load_module ${module};`] : []),
    "daemon off; master_process off; worker_processes 1;",
    `pid ${join(folder, "pid")}; error_log stderr crit;`,
    "events { worker_connections 1024; }",
    `stream { access_log off; server { listen 127.0.0.1:${port}; proxy_pass 127.0.0.1:${to}; } }`,
  ];
  const path = join(folder, "nginx.conf");
  writeFileSync(path, `${configuration.join("\n")}\n`);
  const server = spawn(program, ["-p", folder, "-e", "stderr", "-c", path], { stdio: "ignore" });
  const exit = once(server, "exit");
  const end = async (): Promise<void> => {
    server.kill();
    await exit;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < TRIES && server.exitCode === null; tries += 1) {
    if (await answers(port)) return { pid: server.pid ?? 0, port, [Symbol.asyncDispose]: end };
    await setTimeout(LOOK_MS);
  }
  await end();
  return undefined;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (does: boolean): void => {
      socket.destroy();
      resolve(does);
    };
    socket.once("connect", () => settle(true)).once("error", () => settle(false));
  });
}
