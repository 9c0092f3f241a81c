/** The headers of every answer that brings the app, whoever serves it: what its page may do, which is little. */

/** Names of the Trusted Types policies the app makes: Solid's own templates, and what DOMPurify let through. */
const TRUSTED = ["flybridge", "dompurify"];

/** `connect`: origins beyond its own that the page may open sockets to, as `wss://relay.example`. */
export function policyFor(connect: readonly string[]): Readonly<Record<string, string>> {
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data: blob:",
      "font-src 'self'",
      `connect-src ${["'self'", ...connect].join(" ")}`,
      "manifest-src 'self'",
      "worker-src 'self'",
      "media-src blob:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      `trusted-types ${TRUSTED.join(" ")}`,
    ].join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
}
