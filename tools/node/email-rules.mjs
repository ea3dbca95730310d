// Rules of html-validate for an e-mail: its recommended ones, and a reason for each that is off or changed.
import { defineConfig } from "html-validate";

export default defineConfig({
  root: true,
  extends: ["html-validate:recommended"],
  elements: [
    "html5",
    // MJML writes height="auto" on pictures: Outlook takes the attribute, and "auto" keeps the proportions there.
    { img: { attributes: { height: { enum: ["/^\\d+$/", "auto"] } } } },
  ],
  rules: {
    // Several clients strip the style block, so what must hold stands inline.
    "no-inline-style": "off",
    // align, valign, width, cellpadding, cellspacing, border: Word, which draws Outlook's mail, knows no better.
    "no-deprecated-attr": "off",
    // Outlook's ghost tables stand in conditional comments; nothing else reaches it alone.
    "no-conditional-comment": "off",
    // A tbody a table costs 15 bytes and changes nothing in any client.
    "prefer-tbody": "off",
    // MJML closes some void elements and not others; parsers take both.
    "void-style": "off",
    // MJML writes the doctype in lower case, which means the same.
    "doctype-style": ["error", { style: "lowercase" }],
    // Clients drop <main> and <article>; a <div> with their role stays, and is the landmark around a letter.
    "prefer-native-element": ["error", { exclude: ["main", "article"] }],
  },
});
