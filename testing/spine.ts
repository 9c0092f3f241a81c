/** Everything around one session of the real Claude Code: world, model, repository and two devices, and all they saw. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startAnthropic, type Anthropic } from "./anthropic.ts";
import { check, type Evidence } from "./checker.ts";
import { claudeEnv } from "./claude.ts";
import { Kills, type KillPoint } from "./kills.ts";
import { ReturningDevice } from "./returning.ts";
import { makeRepository, Story } from "./story.ts";
import { startWorld, type World } from "./world.ts";

export class Spine implements AsyncDisposable {
  readonly world: World;
  readonly model: Anthropic;
  readonly kills: Kills;
  readonly phone: ReturningDevice;
  readonly tablet: ReturningDevice;
  readonly repository: string;
  readonly story: Story;

  /** `claude` is the path of the binary; the host is ended at each of `points`. */
  static async start(claude: string, points: readonly KillPoint[] = []): Promise<Spine> {
    let called = (): void => {};
    const model = await startAnthropic(0, () => called());
    const { HOME: _, ...env } = claudeEnv({ home: "", url: model.url });
    const world = await startWorld({ env: { ...env, PATH: `${dirname(claude)}:${env["PATH"] ?? ""}` } });
    const kills = new Kills(world, points);
    const around = (name: string) => ({ name, up: kills.up, happened: kills.happened });
    const phone = new ReturningDevice(await world.pair("phone"), around("phone"));
    const tablet = new ReturningDevice(await world.pair("tablet"), around("tablet"));
    called = () => void kills.happened("call");
    return new Spine({ world, model, kills, phone, tablet });
  }

  private constructor(parts: Pick<Spine, "world" | "model" | "kills" | "phone" | "tablet">) {
    this.world = parts.world;
    this.model = parts.model;
    this.kills = parts.kills;
    this.phone = parts.phone;
    this.tablet = parts.tablet;
    this.repository = makeRepository(join(this.world.home, "project"));
    this.story = new Story({ phone: this.phone, tablet: this.tablet, repository: this.repository });
  }

  /** What differs between all who saw it; call it when the agent is at rest. */
  differences(): string[] {
    return check(JSON.parse(JSON.stringify(this.evidence())) as Evidence);
  }

  evidence(): Evidence {
    const { deeds, session } = this.story;
    return {
      deeds,
      model: this.model.requests as Evidence["model"],
      transcript: this.#transcript(),
      devices: [this.phone, this.tablet].map(({ name, entries, deltas }) => ({
        name,
        entries,
        deltas,
      })) as Evidence["devices"],
      journal: journalOf(this.world, session),
      files: deeds.files.map(({ path, expected }) => {
        const whole = join(this.repository, path);
        return { path, expected, found: existsSync(whole) ? readFileSync(whole, "utf8") : null };
      }),
      pids: this.pids(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kills.end();
    await this.phone.close();
    await this.tablet.close();
    await this.world[Symbol.asyncDispose]();
    await this.model.close();
  }

  /** Processes of the agent that run now, by their arguments. */
  pids(): number[] {
    const listed = execFileSync("ps", ["-A", "-o", "pid=,args="], { encoding: "utf8", maxBuffer: 16 * 1024 * 1024 });
    return listed
      .split("\n")
      .filter((line) => line.includes(this.story.session) && line.includes("--input-format"))
      .map((line) => Number.parseInt(line, 10));
  }

  #transcript(): string {
    const projects = join(this.world.home, ".claude", "projects");
    return readdirSync(projects)
      .flatMap((folder) => readdirSync(join(projects, folder)).map((file) => join(projects, folder, file)))
      .filter((path) => path.endsWith(".jsonl"))
      .map((path) => readFileSync(path, "utf8"))
      .join("");
  }
}

/** Read past the product, from the file. */
export function journalOf(world: World, session: string): Evidence["journal"] {
  using db = new DatabaseSync(join(world.state, "flybridge.db"), { readOnly: true });
  const rows = db.prepare("SELECT seq, at, fact FROM entry WHERE session = ? ORDER BY seq").all(session);
  return rows.map((row) => ({
    seq: row["seq"],
    at: row["at"],
    fact: JSON.parse(String(row["fact"])) as unknown,
  })) as Evidence["journal"];
}
