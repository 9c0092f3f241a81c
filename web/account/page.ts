/**
 * Going to the page of an account. A page may connect only where its host said so when it was loaded, and a service
 * worker keeps it as it was then; so where the relay is another than the page's own, the page is fetched anew first.
 */
import { renewShell } from "../shell.ts";

/** Milliseconds that a service worker which is being installed is waited for. */
const WORKER_MS = 3_000;

export function accountPath(origin: string): string {
  return `/account?at=${encodeURIComponent(origin)}`;
}

/** By way of the network, whatever is kept. */
export async function goToAccount(origin: string): Promise<void> {
  await fetchAnew();
  location.assign(accountPath(origin));
}

export async function loadAgain(): Promise<void> {
  await fetchAnew();
  location.reload();
}

async function fetchAnew(): Promise<void> {
  const workers: ServiceWorkerContainer | undefined = navigator.serviceWorker;
  // One that is on its way may have kept the page already.
  if (await workers?.getRegistration())
    await Promise.race([workers.ready, new Promise((resolve) => setTimeout(resolve, WORKER_MS))]);
  // Without a network there is nobody to sign in with either.
  await renewShell().catch(() => undefined);
}
