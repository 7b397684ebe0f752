/** Ends the program with a sentence instead of a stack: the user can do something about it. */
export class Stop extends Error {}
