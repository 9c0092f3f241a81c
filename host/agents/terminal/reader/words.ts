/** The words by which programs ask, in the languages they are usually translated to. */

const YES = [
  "y",
  "yes",
  "yep",
  "yeah",
  "ok",
  "true",
  "t",
  "j",
  "ja",
  "o",
  "oui",
  "s",
  "si",
  "sí",
  "sim",
  "д",
  "да",
  "tak",
  "kyllä",
  "はい",
  "是",
  "예",
];
const NO = [
  "n",
  "no",
  "nope",
  "false",
  "f",
  "nein",
  "nee",
  "nej",
  "non",
  "não",
  "нет",
  "н",
  "nie",
  "ei",
  "いいえ",
  "否",
  "아니요",
];
const yes = new Set(YES);
const no = new Set(NO);

export function isYes(word: string): boolean {
  return yes.has(bareWord(word));
}

export function isNo(word: string): boolean {
  return no.has(bareWord(word));
}

/** A label that means yes: `Yes, proceed`, `Allow once`, `Yep!`. */
export function saysYes(label: string): boolean {
  return (
    isYes(label) ||
    /^(?:yes|yep|yeah|ok|okay|allow|approve|accept|confirm|agree|continue|proceed|trust|always|run|apply|grant|permit)\b/iu.test(
      label.trim(),
    )
  );
}

export function saysNo(label: string): boolean {
  return (
    isNo(label) ||
    /^(?:no|nope|never|don['’]?t|do not|deny|reject|decline|cancel|refuse|disallow|abort|skip|exit|quit|disagree)\b/iu.test(
      label.trim(),
    )
  );
}

function bareWord(word: string): string {
  return word.toLowerCase().replace(/^[\s['"*(<]+|[\s\]'"*)>.,!]+$/gu, "");
}

/** Whatever is asked for by one of these must not be shown. */
const SECRET =
  /pass\s?(?:word|phrase|code)s?\b|\bpasswd\b|\bpwd\b|\bPIN\b|\bPUK\b|\bOTP\b|\b2FA\b|\bMFA\b|one[- ]time (?:code|pass)|(?:verification|authenticat(?:ion|or)|authorization|auth|security|recovery|backup|login|access|device|pairing) (?:code|token|key)\b|\b(?:api|secret|private|access|encryption|license|activation)[ _-]?(?:access[ _-]?)?(?:key|token)\b|\b(?:token|secret|credentials?)\b|\bpaste (?:the |your )?code\b|\bunlock (?:disk|volume|device|drive|key\w*|vault)\b|mot de passe|phrase secr[eè]te|passwor[dt]|kennwort|contrase(?:ñ|n)a|senha|пароль|парольная|hasło|wachtwoord|lösenord|adgangskode|salasana|jelszó|heslo|parola|şifre|パスワード|暗証番号|密码|密碼|口令|암호|비밀번호|סיסמה|كلمة (?:المرور|السر)/iu;
/** `secret` and `token` are also spoken of; a prompt that names them is short, or says to enter them. */
export function isSecret(label: string): boolean {
  const words = label.length > 160 ? label.slice(-160) : label;
  if (!SECRET.test(words)) return false;
  // The name, the length or the file of a secret is no secret.
  return !/\b(?:name|path|file(?:name)?|length|type|number|expir\w+|id|url|hint|manager|how many|where|which)s?\b[^:?]{0,20}[:?>]?\s*$|^\s*(?:\?\s*)?(?:which|where|how|do|does|would|is|are|should|save|store|use|generate|create|what (?:kind|type))\b/iu.test(
    words,
  );
}

/** A prompt up to the word that makes it one for a secret: what stands behind may be the secret itself. */
export function secretPart(label: string): string | undefined {
  const found = SECRET.exec(label);
  const part = found ? label.slice(0, found.index + found[0].length) : undefined;
  return part !== undefined && isSecret(part) ? part : undefined;
}

/** Words with which a line tells the reader to write something. */
export const TELLS =
  /(?:^|[\s"'(:,.!?>\]-])(?:please|enter|type(?: in)?|input|provide|specify|give|paste|insert|fill in|choose|select|pick|set|write|supply|name|tell|describe|search|saisissez|entrez|veuillez|eingeben|geben sie|bitte|introduzca|ingrese|escriba|digite|informe|inserisci|введите|укажите|podaj|wprowadź|请输入|請輸入|入力)(?:$|[\s"'.,:;!?()[\]-])|入力|请输入|輸入/iu;

/** A question for words, not for a yes. */
export const ASKS_WHAT =
  /(?:^|[\s"'(:,.!>\]-])(?:what|which|who|whom|whose|where|when|why|how|wie|was|wer|wo|welche[rsn]?|comment|quel(?:le)?s?|où|qu[eé]|cu[aá]l(?:es)?|cómo|dónde|qui[eé]n|qual|como|onde|как|какой|какая|где|кто|что)(?:['’]s|['’]re|['’]ll|['’]d)?(?:$|[\s,?])/iu;

/** A question that is answered with yes or no. */
export const ASKS_WHETHER =
  /^(?:\W{0,4})?(?:(?:so|and|but|then|also|ok(?:ay)?|please|really|sure|now|already|[^\s]{1,40}:|warning[:!]|note:|[^?]{0,400}[.!:])\s{1,2})?(?:do|does|did|are|is|was|were|will|would|should|shall|can|could|may|might|must|have|has|had|want|wanna|ready|proceed|continue|overwrite|replace|remove|delete|erase|destroy|purge|really|sure|confirm|allow|permit|trust|abort|retry|try again|install|uninstall|reinstall|upgrade|update|enable|disable|save|discard|quit|exit|leave|stop|restart|reboot|reset|kill|terminate|use|accept|agree|apply|commit|push|merge|deploy|publish|submit|send|create|open|close|keep|skip|ignore|add|include|run|execute|start|launch|download|clean|clear|format|fix|repair|undo|revert|rollback|switch|move|rename|copy|unlink|load|import|export|share|sign|log ?(?:in|out)|go|any other|anything else|okay|ok|correct|is this|looks? (?:good|ok)|happy|möchten|wollen|soll|fortfahren|voulez|souhaitez|continuer|êtes|desea|quiere|está|continuar|deseja|vuoi|continuare|sei|продолжить|вы уверены|хотите|удалить)\b/iu;

/** Words that name the return key, or any key, as what goes on. */
export const ENTER =
  /(?:\b(?:press|hit|push|tap|strike|click|appuyez sur|dr[uü]cken sie|presione|pulse|premi|pressione|нажмите|naciśnij)\b\W{0,3}(?:the |on |la |die |le |tecla |touche |klawisz )*[<[("'‘“`]*(?:enter|return|entr[eé]e|eingabetaste|intro|invio|ввод|any (?:key|button)|une touche|eine (?:beliebige )?taste|cualquier tecla|qualsiasi tasto|qualquer tecla|любую клавишу|dowolny|space ?bar|space|⏎|↵|a key)|^[<[(]?(?:press )?(?:enter|return|any key)[>\])]?(?: to \w+.{0,60})?[.:…]*$|按(?:任意键|回车)|エンター|请按)/iu;

export function isEnter(said: string): boolean {
  return ENTER.test(said);
}
