/** The machine itself, by an address or by the name that every machine gives it: nobody else is on that way. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/u.test(host);
}
