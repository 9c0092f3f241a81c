/** What the words before an answer are: a label that asks for words, or what logs and reports end with. */
import { ASKS_WHAT, TELLS } from "./words.ts";

/** What logs, reports and prose end with, that looks like a label. */
const NOISE =
  /^(?:[[(]?\d{2,4}[-/.]\d{1,2}[-/.]\d{1,2}|\[?\d{2}:\d{2}|\d+(?:\.\d+)?\s?(?:%|ms|s\b|[kmg]i?b)|(?:error|err|warn(?:ing)?|info|debug|trace|fatal|notice|note|hint|tip|nb|ps|usage|options|commands|arguments|flags|examples?|output|result|results|summary|total|failures?|failed|passed|stdout|stderr|traceback|caused by|see(?: also)?|details?|changes|status|progress|elapsed|eta|stack|diff|source|response|request|log|logs|todo|done|success|ok)\b\s*(?:\([^)]*\)|\[[^\]]*\])?\s*[:?]|[[(](?:error|warn(?:ing)?|info|debug|trace|notice|ok|fail(?:ed)?|pass(?:ed)?)[\])]|[-*+•·–—#|/\\│┃⎿●○✓✔✗✘×✖☐☑☒⏺◇◐◑◒◓⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏▶►►»]|\/\/|@@|>>|=>|\.\.\.|\d+[.)]\s|at\s|in\s+file|file "|line \d+|hunk|commit [0-9a-f]{7}|diff |index |>\s|(?:[\w.-]+\/)*[\w.-]+\.\w+:\d+|(?:[\w.-]+\/)+[\w.-]+:\d*:?)/iu;
const LEADS =
  /\b(?:following|below|as follows|are|were|with|by|run|running|try|using|visit|see|at|is|was|the|a|an|of|and|or|because|e\.g|i\.e|example|examples|include|includes|including|like|than|that|this(?! correct)|these|those|mean|means|here|steps|you can|you should|you may)\s*[:?]$/iu;
const WORKS =
  /^(?:\S+\s)?(?:(?:re)?(?:load|build|compil|download|upload|install|extract|fetch|resolv|link|check|scan|generat|updat|process|wait|start|stopp|runn|test|copy|mov|remov|clean|sync|connect|listen|unpack|sett|prepar|read|writ|receiv|count|compress|cop|index|verify|creat|configur|search|analyz|optimiz|render|bundl|transform|serv|watch|collect|download|clon|pull|push)\w*ing)\b/iu;

export function isNoise(label: string): boolean {
  return (
    NOISE.test(label) ||
    /\bdid you mean\b/iu.test(label) ||
    /:\/\/[^\s'"]*[:?]?$/u.test(label) ||
    /\s\|\s.*\s\|\s/u.test(label) ||
    /[{};]\s*$|[=]{2}|\)\s*=>|^\s*(?:if|for|while|def|class|else|elif|try|except|case|switch|function|return|import|from|const|let|var|select|insert)\b.*[:]$/u.test(
      label,
    )
  );
}

/** A label that asks for words; `left`: the cursor has gone to the next row, so that only plain words will do. */
export function asksForWords(label: string, left: boolean): boolean {
  const text = label.trim();
  if (LEADS.test(text) && !/^(?:please )?(?:enter|type|input|what|who|where)\b/iu.test(text)) return false;
  if (strongly(text)) return true;
  if (left) return false;
  if (WORKS.test(text)) return false;
  const counted = text.split(/\s+/u).length;
  if (/[?？]$/u.test(text)) return counted <= 20;
  if (/[>»›]$/u.test(text)) return counted <= 6 && /^[\p{L}][\p{L}\p{N} ,'()/-]*[>»›]$/u.test(text) && counted >= 2;
  // A sentence that ends with a colon leads to something; a name with one waits for it.
  return (
    /^[\p{L}\p{N}'"“‘`([<*]/u.test(text) &&
    counted <= 6 &&
    !/[.;!]\s/u.test(text) &&
    !/\s(?:is|are|was|were|has|have|will|be|failed|found|completed|finished|installed|updated|created|changed|removed|added|started|stopped|skipped|detected)\b/iu.test(
      text,
    ) &&
    /\p{L}/u.test(text)
  );
}

export function strongly(text: string): boolean {
  if (/[?？]\s*$/u.test(text) && ASKS_WHAT.test(text)) return true;
  if (/[:：]\s*$/u.test(text) && TELLS.test(text)) return true;
  return (
    /^(?:[\w'’.@:/-]+\s){0,4}(?:user ?names?|logins?|e-?mail(?: address)?|(?:full |real |first |last |your |package |project )?names?|username for .{1,100}|host ?name|domain|version|description|author|license|keywords|entry point|test command|git repository|city|country|organi[sz]ation(?:al)?.{0,40}|answer|reply|reason|comment|subject|to|cc|amount|age|date)\s*[:?]$/iu.test(
      text,
    ) && !isNoise(text)
  );
}
