/** Text as a search index keeps it: lower case, and whatever is no letter or digit only separates words. */
export function wordsOf(text: string): string {
  return (text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? []).join(' ');
}

/** Whether the words appear in the text one after the other, whole. */
export function matchesWords(text: string, words: string): boolean {
  return ` ${wordsOf(text)} `.includes(` ${words} `);
}
