// The door of every npm script: `npm start`, `npm test` and the rest come through here, on whatever Node the machine has.
//
// This file must run on any Node that knows modules, so that an old one gets a sentence and not a syntax error: no static
// imports, no modern syntax. Everything else is behind the version check.

var OLDEST_NODE = 18;

if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
  process.stderr.write(
    "Flybridge needs Node " +
      OLDEST_NODE +
      " or newer to start from; this is " +
      process.version +
      ".\n" +
      "Install a current Node (https://nodejs.org, or your package manager), then run the same command again.\n",
  );
  process.exit(1);
} else {
  void import("./launch/launch.mjs").then(function (launch) {
    return launch.launch(process.argv[2], process.argv.slice(3));
  });
}
