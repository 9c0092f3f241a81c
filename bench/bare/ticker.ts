/** A child that says and asks what the demo's instruments do, without anything around it: the reference's agent. */
import { createInterface } from "node:readline";

const [kind = "tick", count = "100", every = "20"] = process.argv.slice(2);

const time = (): string => (performance.timeOrigin + performance.now()).toFixed(3);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (kind === "tick") {
  const from = performance.now();
  for (let place = 1; place <= Number(count); place += 1) {
    const due = from + place * Number(every) - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due)));
    say(`grow ${time()}`);
  }
} else if (kind === "flood") {
  for (let place = 1; place <= Number(count); place += 1) {
    if (!process.stdout.write(`grow ${place}\n`)) await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
} else if (kind === "probe") {
  const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for (let place = 1; place <= Number(count); place += 1) {
    say(`ask ${process.pid}.${place} ${time()}`);
    await answers.next();
    say(`read ${time()}`);
  }
}
say("end");
process.exitCode = 0;
process.stdin.destroy();
