/** Taking a port. */
import type { AddressInfo, Server } from "node:net";

/** Resolves with the port. Rejects with an error that says how to mend it when it cannot be had. */
export function listen(server: Server, port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(mended(error, port, address)));
    server.listen(port, address, () => resolve((server.address() as AddressInfo).port));
  });
}

function mended(error: NodeJS.ErrnoException, port: number, address: string): Error {
  switch (error.code) {
    case "EADDRINUSE":
      return new Error(`Port ${port} is taken by another program. Give another one: flybridge up --port ${port + 1}.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new Error(
        `${address} is not an address of this machine. Give one that is, or 0.0.0.0 for all: flybridge up --bind 0.0.0.0.`,
      );
    default:
      return error;
  }
}
