/** The name under which a device keeps its sign-in at a relay. */
export function accountName(origin: string): string {
  return `account ${origin}`;
}
