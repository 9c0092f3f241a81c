/** A process for tests: takes a state folder, says "taken" or the name of the error and its message, and holds on. */
import { homeOf, takeHome } from "./home.ts";

try {
  takeHome(homeOf(process.env));
  console.log("taken");
  // Held until the pipe to whoever started it ends, so that no test can leave it behind.
  process.stdin.resume();
  process.stdin.once("end", () => process.exit(0));
} catch (error) {
  console.log(`${(error as Error).name}: ${(error as Error).message}`);
}
