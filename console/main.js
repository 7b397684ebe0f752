/** The frame: who is signed in, which page is shown, and when it is read anew. */
import { html, nothing, render } from 'lit-html';
import { isSignedIn, Problem, signIn, signOut, workspace } from './api.js';
import { accountPage } from './pages/account.js';
import { accountsPage } from './pages/accounts.js';
import { attentionPage } from './pages/attention.js';
import { importPage } from './pages/import.js';
import { importsPage } from './pages/imports.js';
import { jobPage } from './pages/job.js';
import { jobsPage } from './pages/jobs.js';
import { webhookPage } from './pages/webhook.js';
import { webhooksPage } from './pages/webhooks.js';
import { problemBox } from './parts.js';

/** @import { Done, Frame, Place } from './types.ts' */
/** @typedef {import('./types.ts').Page<unknown>} Page */
/** @typedef {(place: Place, frame: Frame) => Page} MakePage */

/** @type {Record<string, { label: string, list: MakePage, one?: MakePage }>} */
const SECTIONS = {
  '': { label: 'Needs you', list: attentionPage },
  jobs: { label: 'Jobs', list: jobsPage, one: jobPage },
  imports: { label: 'Imports', list: importsPage, one: importPage },
  accounts: { label: 'Accounts', list: accountsPage, one: accountPage },
  webhooks: { label: 'Webhooks', list: webhooksPage, one: webhookPage },
};

/**
 * @typedef {object} Visit one page as it is being looked at
 * @property {string} section
 * @property {Page} page
 * @property {unknown} [shown] what was read last
 * @property {Problem} [unread] why the last reading failed
 * @property {{ problem: Problem, elsewhere?: string }} [refused] why what a button did was refused; on another page: its title
 * @property {string} [said] what came of it
 * @property {{ title: string, goTo?: string }} [done] what was begun on another page and is done
 * @property {number} session
 * @property {boolean} isBusy
 * @property {number} turn of the newest reading: an older one that comes late is dropped
 * @property {ReturnType<typeof setTimeout>} [timer]
 */

/** @type {Visit | undefined} */
let visit;
/** Counts who has been here. */
let session = 0;
/** Changes that have been asked for and not answered, on whatever page. */
let underWay = 0;
/** What is said on the page that an action leads to. @type {string | undefined} */
let toSay;
/** @type {{ isBusy: boolean, problem?: Problem }} */
let entering = { isBusy: false };

function open() {
  clearTimeout(visit?.timer);
  if (!isSignedIn()) {
    visit = undefined;
    return draw();
  }
  // `#/jobs/ID?status=failed`
  const [path = '', query = ''] = location.hash.slice(1).split('?');
  const [, section = '', id = ''] = path.split('/');
  const { list, one } = SECTIONS[section] ?? {};
  const make = id ? one : list;
  if (!make) return location.replace('#/');
  /** @type {Visit} */
  const next = {
    section,
    page: make({ id, query: new URLSearchParams(query) }, frame),
    said: toSay,
    session,
    isBusy: false,
    turn: 0,
  };
  visit = next;
  toSay = undefined;
  document.title = `${next.page.title} · Dealwright`;
  // Nothing was read yet, so that what stood here goes, and with it what was typed into it: the next page may be of the same kind.
  draw();
  document.querySelector('h1')?.focus();
  read(next);
}

/** @param {Visit} of */
async function read(of) {
  clearTimeout(of.timer);
  const turn = ++of.turn;
  /** @type {Pick<Visit, 'shown' | 'unread'>} */
  const came = await of.page.load().then(
    (shown) => ({ shown, unread: undefined }),
    // What was read before stays in sight.
    (err) => ({ unread: problemOf(err) }),
  );
  if (of !== visit || turn !== of.turn) return;
  Object.assign(of, came);
  if (of.unread?.isSignedOut) return leave(of.unread);
  const { everyMs } = of.page;
  const waitMs = Math.max(everyMs, of.unread?.retryAfterMs ?? 0);
  if (everyMs > 0) of.timer = setTimeout(() => !document.hidden && read(of), waitMs);
  draw();
}

/** @type {Frame} */
const frame = {
  redraw: draw,
  async act(what) {
    const of = visit;
    if (!of || of.isBusy) return;
    Object.assign(of, { isBusy: true, said: undefined, refused: undefined });
    underWay += 1;
    draw();
    const done = await carryOut(of, what);
    underWay -= 1;
    of.isBusy = false;
    if (of !== visit) return tellElsewhere(of, done);
    draw();
    if (!done?.goTo) return read(of);
    toSay = done.said;
    location.hash = done.goTo;
  },
  async fetchBeside(doing, what) {
    const of = visit;
    if (!of) return;
    of.said = doing;
    draw();
    await carryOut(of, what);
    if (of.said === doing) of.said = undefined;
    draw();
  },
};

/**
 * @param {Visit} of where it was begun
 * @param {() => Promise<Done | void>} what
 * @returns {Promise<Done>} undefined also when it was refused, which is told
 */
async function carryOut(of, what) {
  const begunIn = session;
  try {
    const done = (await what()) ?? undefined;
    if (done?.said) of.said = done.said;
    return done;
  } catch (err) {
    const problem = problemOf(err);
    // Of a session that is over nobody is told.
    if (!visit || begunIn !== session) return undefined;
    if (problem.isSignedOut && of === visit) leave(problem);
    else visit.refused = { problem, elsewhere: of === visit ? undefined : of.page.title };
    draw();
  }
}

/** Whoever went on to another page meanwhile learns there what came of it. @param {Visit} of @param {Done} done */
function tellElsewhere(of, done) {
  if (!visit || !done || of.session !== session) return;
  visit.done = { title: of.page.title, goTo: done.goTo };
  draw();
}

/** @param {unknown} err */
function problemOf(err) {
  if (err instanceof Problem) return err;
  console.error(err);
  const message = err instanceof Error ? err.message : String(err);
  return new Problem({ statusCode: 0, code: 'console', message });
}

/** @param {Problem} [problem] */
function leave(problem) {
  signOut();
  session += 1;
  entering = { isBusy: false, problem };
  open();
}

function draw() {
  render(visit ? framed(visit) : signInForm(), document.body);
}

/** @param {Visit} of */
const framed = ({ section, page, shown, unread, refused, done, said, isBusy }) => html`
  <header>
    <a class="brand" href="#/">Dealwright</a>
    <nav aria-label="Sections">${Object.entries(SECTIONS).map(
      ([name, { label }]) =>
        html`<a href="#/${name}" aria-current=${name === section ? 'page' : nothing}>${label}</a>`,
    )}</nav>
    <p class="who">
      ${workspace() ? html`workspace <strong>${workspace()}</strong>` : nothing}
      <a href="/docs">API</a>
      <button type="button" @click=${() => leave()}>Sign out</button>
    </p>
  </header>
  <main>
    <h1 tabindex="-1">${page.title}</h1>
    <div role="status">
      ${isBusy ? html`<p class="said">One moment…</p>` : nothing}
      ${said ? html`<p class="said">${said}</p>` : nothing}
      ${done ? html`<p class="said">What you began on the page “${done.title}” is done.${done.goTo ? html` <a href=${done.goTo}>See it</a>` : nothing}</p>` : nothing}
    </div>
    ${refused?.elsewhere ? html`<p>What you began on the page “${refused.elsewhere}” was refused:</p>` : nothing}
    ${refused ? problemBox(refused.problem) : nothing}
    ${unread ? problemBox(unread) : nothing}
    ${shown === undefined ? (unread ? nothing : html`<p class="empty">Loading…</p>`) : page.view(shown)}
  </main>`;

const signInForm = () => html`
  <main class="sign-in">
    <h1>Dealwright</h1>
    ${entering.problem ? problemBox(entering.problem) : nothing}
    <form @submit=${enter}>
      <label>Token <input name="token" type="password" required autocomplete="current-password" autofocus></label>
      <label>Workspace <input name="workspace" autocomplete="off" placeholder="default" spellcheck="false"></label>
      <p class="small">
        The admin token, with a workspace if it is not the default one, or a token made with <code>POST /api-tokens</code>, which has its own.
        It stays in this tab.
      </p>
      <button type="submit" class="main" ?disabled=${entering.isBusy}>Sign in</button>
    </form>
  </main>`;

/** @param {SubmitEvent} event */
async function enter(event) {
  event.preventDefault();
  if (entering.isBusy) return;
  const fields = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
  entering = { isBusy: true };
  draw();
  try {
    await signIn(String(fields.get('token')).trim(), String(fields.get('workspace')).trim());
    entering = { isBusy: false };
  } catch (err) {
    entering = { isBusy: false, problem: problemOf(err) };
  }
  open();
}

addEventListener('hashchange', open);
// An upload under way would be cut off.
addEventListener('beforeunload', (event) => {
  if (underWay > 0) event.preventDefault();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && visit) read(visit);
});
open();
