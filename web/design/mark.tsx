/** The mark: a two-deck bridge, seen from the side. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M11 6h12.5a1.5 1.5 0 0 1 0 3H22v4h3.2c.7 0 1.3.4 1.6 1l1.5 3H8.5L11 13h1V9h-1a1.5 1.5 0 0 1 0-3Zm4 3v4h4V9Z" />
      <path d="M2.6 19h27.2a1 1 0 0 1 .9 1.4l-2.2 5A2.8 2.8 0 0 1 26 27H9.4a6 6 0 0 1-5-2.7l-2.6-4A.8.8 0 0 1 2.6 19Z" />
    </svg>
  );
}
