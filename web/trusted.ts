/**
 * The app's one Trusted Types policy, and the only place that can turn a string into markup or a script's address.
 *
 * Solid's compiled components call `template("<div class=…>")` with constants of the build. The build resolves every
 * import of `solid-js/web`, ours and our dependencies', to `dom.ts`, whose `template` comes from here; so the page's
 * policy needs no `default`, and a string made at run time has no way in. What agents write goes through DOMPurify,
 * which has a policy of its own. The two names are what the Content-Security-Policy admits: `flybridge dompurify`.
 */
import { untrack } from "solid-js";

const SERVICE_WORKER = "/sw.js";

interface Policy {
  createHTML(constant: string): string;
  createScriptURL(url: string): string;
}

interface Factory {
  createPolicy(name: string, rules: Policy): Policy;
}

const rules: Policy = {
  createHTML: (constant) => constant,
  createScriptURL(url) {
    if (url !== SERVICE_WORKER) throw new TypeError(`${url} is not a script of this app`);
    return url;
  },
};

const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
const policy = factory ? factory.createPolicy("flybridge", rules) : rules;

/** Stands in for `template` of `solid-js/web`: the same, through the policy. MathML is not drawn here. */
export function template(constant: string, importing?: boolean, svg?: boolean): () => Node {
  let made: Node | undefined;
  const make = (): Node => {
    const holder = document.createElement("template");
    holder.innerHTML = policy.createHTML(constant);
    const first = holder.content.firstChild;
    const node = svg ? first?.firstChild : first;
    if (!node) throw new TypeError("an empty template");
    return node;
  };
  const clone = importing
    ? () => untrack(() => document.importNode((made ??= make()), true))
    : () => (made ??= make()).cloneNode(true);
  return Object.assign(clone, { cloneNode: clone });
}

/** Registers the service worker, once however often it is called. False where the browser refuses one: under a certificate that it does not trust. */
export async function registerWorker(): Promise<boolean> {
  if (!("serviceWorker" in navigator)) return true;
  return navigator.serviceWorker.register(policy.createScriptURL(SERVICE_WORKER), { scope: "/" }).then(
    () => true,
    () => false,
  );
}
