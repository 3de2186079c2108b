/**
 * A model's Markdown as blocks, and those as safe nodes. What a model writes is untrusted: raw HTML is cut down to a short list of
 * formatting tags, nothing is fetched (no images), links leave in a new tab and only to the web or to mail.
 */
import createDOMPurify, { type Config, type WindowLike } from 'dompurify';
import { Marked, type Token } from 'marked';

export type Block =
  /** `markup` is as the model wrote it: only `nodes` may put it on a page. */
  | { readonly kind: 'markup'; readonly markup: string }
  | { readonly kind: 'code'; readonly language: string; readonly code: string };

const allowed: Config = {
  ALLOWED_TAGS: [
    ...[
      'p',
      'br',
      'hr',
      'strong',
      'b',
      'em',
      'i',
      'del',
      's',
      'sub',
      'sup',
      'code',
      'pre',
      'kbd',
      'blockquote',
    ],
    ...['ul', 'ol', 'li', 'h2', 'h3', 'h4', 'h5', 'h6', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['href', 'title', 'start', 'target', 'rel'],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

/** Deeper by one: the page's own `h1` stands above them. */
const deepestHeading = 6;

export class Markdown {
  readonly #marked: Marked;
  readonly #purify;

  constructor(view: WindowLike) {
    this.#purify = createDOMPurify(view);
    this.#purify.addHook('afterSanitizeAttributes', protectLink);
    this.#marked = new Marked({
      gfm: true,
      breaks: true,
      renderer: {
        heading({ tokens, depth }) {
          const level = Math.min(depth + 1, deepestHeading);
          return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
        },
        image: ({ text, href }) => `[${escapeHtml(text || 'image')}: ${escapeHtml(href)}]`,
        checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
      },
    });
  }

  /** One block per top-level element, so that a growing answer redraws only its last one. */
  blocks(text: string): readonly Block[] {
    const tokens = this.#marked.lexer(text);
    return tokens.filter(({ type }) => type !== 'space' && type !== 'def').map((token) => this.#block(token));
  }

  #block(token: Token): Block {
    if (isCode(token)) return { kind: 'code', language: languageOf(token.lang), code: token.text };
    return { kind: 'markup', markup: this.#marked.parser([token]) };
  }

  /** Nodes rather than a string: what was checked is not parsed a second time. */
  nodes(markup: string): DocumentFragment {
    return this.#purify.sanitize(markup, { ...allowed, RETURN_DOM_FRAGMENT: true });
  }

  /** For highlighted code: spans with classes. */
  spans(markup: string): DocumentFragment {
    return this.#purify.sanitize(markup, {
      ALLOWED_TAGS: ['span'],
      ALLOWED_ATTR: ['class'],
      RETURN_DOM_FRAGMENT: true,
    });
  }
}

function isCode(token: Token): token is Token & { text: string; lang?: string } {
  return token.type === 'code';
}

function languageOf(info = ''): string {
  return /^[\w+#.-]+/.exec(info)?.[0].toLowerCase() ?? '';
}

function protectLink(node: Element): void {
  if (node.tagName !== 'A') return;
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
