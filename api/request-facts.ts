/** Who calls, as the token says. */
export type Caller = {
  workspace: string;
  scopes: string[];
  isAdmin: boolean;
  tokenId?: string;
};

declare global {
  namespace Express {
    interface Locals {
      /** Set for every request. */
      requestId?: string;
      /** Set by authentication. */
      caller?: Caller;
      /** Set when the answer is an error. */
      errorCode?: string;
    }
  }
}
