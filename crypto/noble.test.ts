import { randomBytes } from "node:crypto";
import { nobleKey, nobleSuite } from "./noble.ts";
import { suiteContract } from "./suite.contract.ts";

suiteContract(
  "noble",
  nobleSuite((length) => new Uint8Array(randomBytes(length))),
  nobleKey,
);
