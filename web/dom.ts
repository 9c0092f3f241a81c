/** What the build takes for `solid-js/web`: the same, with `template` behind our Trusted Types policy. */
export * from "solid-js/web";
export { template } from "./trusted.ts";
