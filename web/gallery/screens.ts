/** Screens that programs drew, as a terminal is sent them. */

const ESC = "\u001b[";
const green = (text: string): string => `${ESC}32m${text}${ESC}m`;
const blue = (text: string): string => `${ESC}1;34m${text}${ESC}m`;
const dim = (text: string): string => `${ESC}2m${text}${ESC}m`;
const prompt = `${green("ada@studio")}:${blue("~/work/harbour-shop")}$ `;

export const SHELL = [
  `${prompt}git status -sb`,
  `## ${green("checkout-totals")}...${ESC}31morigin/checkout-totals${ESC}m [ahead 2]`,
  ` ${ESC}31mM${ESC}m src/checkout/totals.ts`,
  `${ESC}31m??${ESC}m notes.md`,
  `${prompt}ls --color`,
  `${blue("docs")}  ${blue("node_modules")}  package.json  ${green("run.sh")}  ${ESC}36mlatest${ESC}m  ${blue("src")}`,
  `${prompt}npm run build`,
  "",
  dim("> harbour-shop@2.3.0 build"),
  dim("> vite build"),
  "",
  `${ESC}36mvite v7.1.2 ${ESC}32mbuilding for production...${ESC}m`,
  `${ESC}32m✓${ESC}m 214 modules transformed.`,
  `${ESC}33mwarning${ESC}m: chunk ${ESC}1mvendor${ESC}m is 612 kB. See https://vite.dev/guide/build#chunking (or split it).`,
  `${ESC}32m✓ built in 2.41s${ESC}m`,
  `Docs: ${ESC}4m\u001b]8;;https://docs.example.com/harbour/build?from=terminal\u001b\\the build, explained\u001b]8;;\u001b\\${ESC}m`,
  prompt,
].join("\r\n");

export const COLOURS = [
  ...[0, 1].map((bright) =>
    Array.from(
      { length: 8 },
      (_, at) => `${ESC}${(bright === 1 ? 90 : 30) + at}m colour ${bright * 8 + at} ${ESC}m`,
    ).join(bright === 0 ? "\r\n" : "\r\n"),
  ),
  Array.from({ length: 16 }, (_, at) => `${ESC}48;5;${at}m  ${at}  ${ESC}m`).join(""),
  Array.from({ length: 36 }, (_, at) => `${ESC}48;2;${at * 7};${255 - at * 7};160m ${ESC}m`).join(""),
  `${ESC}1mbold${ESC}m ${ESC}2mdim${ESC}m ${ESC}3mitalic${ESC}m ${ESC}4munderlined${ESC}m ${ESC}4:3mcurled${ESC}m ${ESC}7mreversed${ESC}m ${ESC}9mstruck${ESC}m`,
  "世界 한국어 👩‍🚀 é ä ß ┌──┐ ▁▂▃▄▅▆▇█ ⠋⠙⠹",
].join("\r\n");

const source = [
  `${ESC}35mimport${ESC}m { rates } ${ESC}35mfrom${ESC}m ${ESC}32m"./rates.ts"${ESC}m;`,
  "",
  `${ESC}2m/** Net, tax and gross of a cart. */${ESC}m`,
  `${ESC}35mexport function${ESC}m ${ESC}34mtotalOf${ESC}m(cart: ${ESC}33mCart${ESC}m): ${ESC}33mMoney${ESC}m {`,
  `  ${ESC}35mconst${ESC}m net = cart.lines.reduce((sum, line) => sum + line.price * line.count, ${ESC}31m0${ESC}m);`,
  `  ${ESC}35mreturn${ESC}m { net, tax: Math.round(net * rates.standard) };`,
  "}",
];

export const VIM = `${ESC}?1049h${ESC}H${ESC}2J${source
  .map((line, at) => `${ESC}33m${String(at + 1).padStart(3)} ${ESC}m${line}`)
  .join(
    "\r\n",
  )}${Array.from({ length: 14 }, () => `\r\n${ESC}34m~${ESC}m`).join("")}\r\n${ESC}7m src/checkout/totals.ts ${" ".repeat(30)}5,3  All ${ESC}m\r\n-- INSERT --${ESC}5;7H`;
