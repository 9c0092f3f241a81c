/** Prism's parts have no types of their own; the core is what `prismjs` exports, the languages only add to it. */
declare module "prismjs/components/prism-core.js" {
  import Prism from "prismjs";
  export default Prism;
}
declare module "prismjs/components/*";
