// What /docs shows in place of the marks of the page's library: three tasks of a graph, and the name.
const NODES =
  '<path d="M6 16h6m2-2 8-6m-8 10 8 6" stroke="#7aa2f7" stroke-width="2" fill="none"/>' +
  '<circle cx="5" cy="16" r="4" fill="#7aa2f7"/><circle cx="14" cy="16" r="4" fill="#9ece6a"/>' +
  '<circle cx="25" cy="7" r="4" fill="#e0af68"/><circle cx="25" cy="25" r="4" fill="#e0af68"/>';
const XMLNS = 'xmlns="http://www.w3.org/2000/svg"';

export const ICON = `<svg ${XMLNS} viewBox="0 0 32 32">${NODES}</svg>`;
export const LOGO =
  `<svg ${XMLNS} viewBox="0 0 160 32" height="40">${NODES}` +
  `<text x="40" y="22" font-family="sans-serif" font-size="19" font-weight="600" fill="#ffffff">Dagwright</text></svg>`;
