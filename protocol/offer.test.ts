import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type Address,
  type Connection,
  ConnectionError,
  type ConnectionFault,
  DEFAULT_PORT,
  formatAddress,
  formatConnection,
  formatLink,
  fromBase64Url,
  HOST_KEY_BYTES,
  MAX_ADDRESSES,
  MAX_CONNECTION_CHARS,
  MAX_LINK_CHARS,
  MAX_PASTED_CHARS,
  OFFER_BYTES,
  parseConnection,
  purposeOf,
  SECRET_BYTES,
  toBase64Url,
} from "./offer.ts";

const filled = (length: number, first: number) => Uint8Array.from({ length }, (_, at) => (first + at) & 0xff);
const offer = filled(OFFER_BYTES, 1);
const secret = filled(SECRET_BYTES, 0x40);
const hostKey = filled(HOST_KEY_BYTES, 0xc0);
const TOKEN = [offer, secret, hostKey].map(toBase64Url).join(".");
const parts = { offer, secret, hostKey };

function addressesOf(text: string): string[] {
  return parseConnection(text).addresses.map(({ host, port }) => `${host} ${port}`);
}

function faultOf(text: string): ConnectionFault | "none" {
  try {
    parseConnection(text);
    return "none";
  } catch (error) {
    assert.ok(error instanceof ConnectionError, String(error));
    assert.match(error.message, /\.$/u, "a sentence for the person");
    assert.ok(error.message.includes("Copy") || error.message.includes("Paste") || error.message.includes("start"));
    return error.fault;
  }
}

describe("a connection string", () => {
  it("[A20] is flybridge://HOST:PORT/TOKEN, and 7683 is the port that need not be said", () => {
    assert.equal(DEFAULT_PORT, 7683);
    assert.equal(
      formatConnection({ addresses: [{ host: "box.local", port: 8443 }], ...parts }),
      `flybridge://box.local:8443/${TOKEN}`,
    );
    assert.equal(
      formatConnection({ addresses: [{ host: "box.local", port: DEFAULT_PORT }], ...parts }),
      `flybridge://box.local/${TOKEN}`,
    );
    assert.deepEqual(addressesOf(`flybridge://box.local/${TOKEN}`), ["box.local 7683"]);
    assert.match(TOKEN, /^[\w-]{11}\.[\w-]{43}\.[\w-]{43}$/u);
  });

  it("[A21] [E07] gives up its host, port, offer, secret and key", () => {
    assert.deepEqual(parseConnection(`flybridge://box.local:8443/${TOKEN}`), {
      addresses: [{ host: "box.local", port: 8443 }],
      ...parts,
    });
  });

  it("[A21] is read with an IPv4 address, an IPv6 literal, a name in another script, percent-encoding, and no port", () => {
    assert.deepEqual(addressesOf(`flybridge://192.168.1.20:9000/${TOKEN}`), ["192.168.1.20 9000"]);
    assert.deepEqual(addressesOf(`flybridge://[fd00::1:2]:9000/${TOKEN}`), ["fd00::1:2 9000"]);
    assert.deepEqual(addressesOf(`flybridge://[::ffff:10.0.0.1]/${TOKEN}`), ["::ffff:10.0.0.1 7683"]);
    assert.deepEqual(addressesOf(`flybridge://%5Bfd00%3A%3A1%5D%3A9000/${TOKEN}`), ["fd00::1 9000"]);
    assert.deepEqual(addressesOf(`flybridge://b%C3%BCro.example/${TOKEN}`), ["büro.example 7683"]);
    assert.deepEqual(addressesOf(`flybridge://a_b-c.d/${TOKEN}`), ["a_b-c.d 7683"]);
  });

  it("[A21] carries more addresses, a relay and a name, percent-encoded", () => {
    const text = `flybridge://a/${TOKEN}?h=b%3A1&h=%5B%3A%3A1%5D&r=https%3A%2F%2Frelay.example&rt=r-1&n=M%C3%BCller%27s%20box&later=1`;
    assert.deepEqual(parseConnection(text), {
      addresses: [
        { host: "a", port: 7683 },
        { host: "b", port: 1 },
        { host: "::1", port: 7683 },
      ],
      ...parts,
      relay: "https://relay.example",
      rendezvous: "r-1",
      name: "Müller's box",
    });
  });

  it("is read in any case of the scheme, between white space, and wrapped over lines by a terminal", () => {
    const text = `flybridge://box.local/${TOKEN}`;
    const wanted = parseConnection(text);
    assert.deepEqual(parseConnection(`FlyBridge://box.local/${TOKEN}`), wanted);
    assert.deepEqual(parseConnection(`\r\n\t ${text} \n`), wanted);
    assert.deepEqual(parseConnection(`${text.slice(0, 40)}\n${text.slice(40, 80)}\r\n  ${text.slice(80)}`), wanted);
  });

  it("is read out of a link, whatever stands before the fragment", () => {
    const connection: Connection = { addresses: [{ host: "box", port: 7683 }], ...parts, name: "a b" };
    const link = formatLink("https://app.example", connection);
    assert.equal(link, `https://app.example/pair#${formatConnection(connection)}`);
    assert.deepEqual(parseConnection(link), connection);
    assert.deepEqual(parseConnection(`http://127.0.0.1:7683/pair/#${formatConnection(connection)}`), connection);
    assert.deepEqual(
      parseConnection(`https://a.example/x/join#${encodeURIComponent(formatConnection(connection))}`),
      connection,
    );
    const join = formatLink("https://app.example", connection, "join");
    assert.equal(join, `https://app.example/join#${formatConnection(connection)}`);
    assert.deepEqual([link, join, formatConnection(connection)].map(purposeOf), ["pair", "join", "pair"]);
    assert.equal(faultOf(`https://app.example/other#${formatConnection(connection)}`), "wrong_scheme");
    assert.equal(faultOf("https://app.example/pair"), "wrong_scheme");
    assert.equal(faultOf("https://app.example/pair#%E0%A4%A"), "bad_token");
  });

  it("[E46] is not read out of a link to a page that came in the clear, but from this machine itself", () => {
    const string = formatConnection({ addresses: [{ host: "box", port: 7683 }], ...parts });
    for (const origin of [
      "http://192.168.1.5:7683",
      "http://studio",
      "HTTP://127.0.0.1.evil.example",
      "http://[fd00::1]",
    ])
      assert.equal(faultOf(`${origin}/pair#${string}`), "plaintext", origin);
    for (const origin of [
      "http://127.0.0.1:7683",
      "http://localhost:1",
      "http://[::1]:7683",
      "https://192.168.1.5:7683",
    ])
      assert.equal(faultOf(`${origin}/pair#${string}`), "none", origin);
  });

  it("goes into a link without its further addresses, then without the name, where the code would be too fine", () => {
    const addresses = [1, 2, 3, 4, 5].map((last) => ({ host: `192.168.100.${last}`, port: 7000 })) as [
      Address,
      ...Address[],
    ];
    const [first] = addresses;
    const read = (connection: Connection): Connection => parseConnection(formatLink("https://a.example", connection));
    const few: Connection = { addresses: [first], ...parts, name: "studio" };
    assert.deepEqual(read(few), few);
    assert.deepEqual(read({ ...few, addresses }), few);
    const { name: _, ...unnamed } = few;
    assert.deepEqual(read({ ...few, addresses, name: "s".repeat(80) }), unnamed);
  });

  it("[A18] is refused with its own sentence when it is malformed, of another scheme, or without its token", () => {
    const faults: Record<string, ConnectionFault> = {
      "": "empty",
      " \n\t ": "empty",
      hello: "wrong_scheme",
      [`https://box/${TOKEN}`]: "wrong_scheme",
      [`flybridge:/box/${TOKEN}`]: "wrong_scheme",
      [TOKEN]: "wrong_scheme",
      [`flybridge:///${TOKEN}`]: "no_host",
      [`flybridge://:7683/${TOKEN}`]: "no_host",
      [`flybridge://fd00::1/${TOKEN}`]: "no_host",
      [`flybridge://[fd00::1/${TOKEN}`]: "no_host",
      [`flybridge://%zz/${TOKEN}`]: "no_host",
      [`flybridge://box:0/${TOKEN}`]: "bad_port",
      [`flybridge://box:65536/${TOKEN}`]: "bad_port",
      [`flybridge://box:/${TOKEN}`]: "bad_port",
      [`flybridge://box:7e3/${TOKEN}`]: "bad_port",
      [`flybridge://box:-1/${TOKEN}`]: "bad_port",
      [`flybridge://[::1]:99999/${TOKEN}`]: "bad_port",
      "flybridge://box": "no_token",
      "flybridge://box/": "no_token",
      "flybridge://box?n=x": "no_token",
      [`flybridge://box/${toBase64Url(offer)}`]: "no_token",
      [`flybridge://box/${TOKEN.slice(0, 55)}.`]: "no_token",
      [`flybridge://box/${TOKEN.slice(0, -1)}`]: "bad_token",
      [`flybridge://box/${TOKEN}A`]: "bad_token",
      [`flybridge://box/${TOKEN}.A`]: "bad_token",
      [`flybridge://box/${TOKEN}#x`]: "bad_token",
      [`flybridge://box/${TOKEN.replace(".", "/")}`]: "bad_token",
      [`flybridge://box/${TOKEN}?n=%`]: "bad_token",
      [`flybridge://box/${TOKEN}?h=`]: "no_host",
      [`flybridge://box/${TOKEN}?h=box%3A99999`]: "bad_port",
    };
    for (const [text, fault] of Object.entries(faults)) assert.equal(faultOf(text), fault, JSON.stringify(text));
  });

  it("names no host that a URL would read as something else", () => {
    for (const host of ["user@box", "a/b", "a%2Fb", "a%3Fb", "a%23b", "a%40b", "a%00b", "a%5Cb", "a%E2%80%AEb"])
      assert.notEqual(faultOf(`flybridge://${host}/${TOKEN}`), "none", host);
  });

  it("is not read when it is huge, and makes no device try more than a few addresses", () => {
    assert.equal(faultOf("f".repeat(50_000_000)), "too_long");
    assert.equal(faultOf(`flybridge://box/${TOKEN}?n=${"n".repeat(MAX_PASTED_CHARS)}`), "too_long");
    const many = `flybridge://a/${TOKEN}?${"h=b&".repeat(200)}`;
    assert.equal(parseConnection(many).addresses.length, MAX_ADDRESSES);
  });

  it("has the token's lengths: 8 bytes of offer, 32 of secret, 32 of key", () => {
    const { addresses } = parseConnection(`flybridge://box/${TOKEN}`);
    for (const [bytes, length] of [
      [offer, 8],
      [secret, 32],
      [hostKey, 32],
    ] as const)
      assert.equal(bytes.length, length);
    const short = { addresses, offer, secret: filled(31, 0), hostKey };
    assert.equal(faultOf(formatConnection(short)), "bad_token");
    assert.equal(faultOf(formatConnection({ addresses, offer, secret: filled(33, 0), hostKey })), "bad_token");
  });

  it("fits a QR code with a long host name and the name of the machine", () => {
    const text = formatConnection({
      addresses: [{ host: `${"a".repeat(40)}.tail1234.ts.example`, port: 17_683 }],
      ...parts,
      name: "A machine of thirty-two letters!",
    });
    assert.ok(text.length <= MAX_CONNECTION_CHARS, `${text.length}`);
  });

  it("[C23] makes a link that fits a QR code of version 10 at level M, if need be without the name", () => {
    const connection = { addresses: [{ host: "studio.tail1234.ts.net", port: 443 }] as const, ...parts };
    const name = "The machine under the desk in the corner";
    const link = formatLink("https://studio.tail1234.ts.net", { ...connection, name }, "join");
    assert.ok(link.length <= MAX_LINK_CHARS, `${link.length}`);
    assert.deepEqual(parseConnection(link), connection);
  });

  it("comes back from what was made of it, for any parts", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
    const host = fc.oneof(
      fc.domain({ size: "small" }),
      fc.ipV4(),
      fc.ipV6().filter((text) => text.includes(":")),
    );
    const address = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) }, { noNullPrototype: true });
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const connection = fc.record(
      {
        addresses: fc.array(address, { minLength: 1, maxLength: 4 }),
        offer: bytes(OFFER_BYTES),
        secret: bytes(SECRET_BYTES),
        hostKey: bytes(HOST_KEY_BYTES),
        relay: fc.webUrl({ size: "xsmall" }),
        rendezvous: name,
        name,
      },
      { requiredKeys: ["addresses", "offer", "secret", "hostKey"], noNullPrototype: true },
    );
    fc.assert(
      fc.property(connection, (made) => {
        const text = formatConnection(made as unknown as Connection);
        fc.pre(text.length <= MAX_PASTED_CHARS);
        const read = parseConnection(text);
        assert.deepEqual(read, made);
        assert.deepEqual(read.addresses.map(formatAddress), made.addresses.map(formatAddress));
      }),
    );
  });

  it("gives a connection or a fault on any text, never anything else", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.string().map((text) => `flybridge://${text}`),
        ),
        (text) => {
          faultOf(text);
        },
      ),
    );
  });
});

describe("base64url", () => {
  it("agrees with another implementation, for every length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const text = toBase64Url(bytes);
        assert.equal(text, Buffer.from(bytes).toString("base64url"));
        assert.deepEqual(fromBase64Url(text, bytes.length), Uint8Array.from(bytes));
      }),
    );
  });

  it("has one spelling: no padding, no other alphabet, no bits left over, no other length", () => {
    assert.deepEqual(fromBase64Url("AQ", 1), Uint8Array.of(1));
    for (const text of ["AR", "AQ==", "A+", "A/", "A", "AQA", "A ", "Aé"])
      assert.equal(fromBase64Url(text, 1), undefined, text);
  });
});
