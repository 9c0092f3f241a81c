#!/usr/bin/env node
// The `flybridge` command: finds the Node it needs the way the npm scripts do, then hands every word to the CLI.

process.argv.splice(2, 0, "flybridge");
void import("./launch.mjs");
