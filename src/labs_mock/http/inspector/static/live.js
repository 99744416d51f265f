// Keeps a page current: when a request is made, the page is fetched again, at most once a second, and what differs in its parts
// with data-live="NAME" is changed in place. So focus, scroll positions and what is typed stay as they are. A page that is hidden
// follows nothing: browsers open only six connections to one server.

const EVENTS = "/_mock/events";
const LEAST = 1000; // milliseconds from one fetch to the next; more where the server needs long for the page
const AGAIN = 5000; // milliseconds until a server that refused is tried again
const PAUSED = "labs-mock-paused"; // in the storage of this window
const STATES = {
  live: ["Live", "press to pause"],
  paused: ["Paused", "press to go on"],
  disconnected: ["Disconnected", "press to connect again"],
};
const KEPT = { DETAILS: ["open"], INPUT: ["aria-invalid"], SELECT: ["aria-invalid"], TEXTAREA: ["aria-invalid"] };

// A row is another one if it leads elsewhere, an element if it has another id.
function nameOf(node) {
  if (node.nodeName === "TR") return node.querySelector("a[href]")?.getAttribute("href") ?? "";
  return node.id ?? "";
}

function find(place, child) {
  const name = nameOf(child);
  for (let node = place; node; node = name ? node.nextSibling : null) {
    if (node.nodeName === child.nodeName && nameOf(node) === name) return node;
  }
  return null;
}

function update(old, fresh) {
  if (old.isEqualNode(fresh) || old.matches?.("[role=alert], [id^=wrong-]")) return; // what is wrong in a form stays
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.data = fresh.data;
    return;
  }
  const kept = KEPT[old.nodeName] ?? [];
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !kept.includes(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !kept.includes(name)) old.setAttribute(name, value);
  }
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const found = find(place, child);
    if (!found) old.insertBefore(document.importNode(child, true), place);
    else if (found !== place) old.insertBefore(found, place);
    else place = place.nextSibling;
    if (found) update(found, child);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

async function refresh() {
  const response = await fetch(location.href);
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const focused = document.activeElement;
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    if (other) update(part, other);
  }
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

class Live {
  constructor(button) {
    this.button = button;
    this.source = this.timer = this.retry = null;
    this.waiting = false; // for a fetch: something has happened since the last one began
    this.busy = false;
    this.next = 0;
    button.addEventListener("click", () => (this.state === "live" ? this.pause() : this.connect()));
    document.addEventListener("visibilitychange", () => this.show());
    this.state = "disconnected";
    this.show();
  }

  set state(state) {
    const [text, hint] = STATES[state];
    this.button.dataset.state = state;
    this.button.textContent = text;
    this.button.setAttribute("aria-label", `${text}: ${hint}`);
  }

  get state() {
    return this.button.dataset.state;
  }

  show() {
    if (sessionStorage.getItem(PAUSED)) this.pause();
    else if (document.hidden) this.close();
    else this.connect();
  }

  pause() {
    sessionStorage.setItem(PAUSED, "yes");
    this.close();
    this.state = "paused";
  }

  close() {
    clearTimeout(this.retry);
    this.source?.close();
  }

  connect() {
    sessionStorage.removeItem(PAUSED);
    this.close();
    const source = (this.source = new EventSource(EVENTS));
    // At the start, too: something may have happened since the page was made.
    for (const kind of ["start", "records", "reset"]) source.addEventListener(kind, () => this.changed());
    source.onopen = () => (this.state = "live");
    source.onerror = () => {
      this.state = "disconnected";
      if (source.readyState === EventSource.CLOSED) this.retry = setTimeout(() => this.connect(), AGAIN);
    };
  }

  changed() {
    this.waiting = true;
    this.look();
  }

  look() {
    if (!this.waiting || this.busy || this.timer !== null) return;
    this.timer = setTimeout(() => this.fetch(), Math.max(0, this.next - performance.now()));
  }

  async fetch() {
    this.timer = null;
    this.waiting = false;
    this.busy = true;
    const began = performance.now();
    try {
      await refresh();
    } catch {
      this.waiting = true; // the server is gone: the page is current again once it is back
    }
    const took = performance.now() - began;
    this.next = began + Math.max(LEAST, 4 * took);
    this.busy = false;
    if (this.source?.readyState === EventSource.OPEN) this.look();
  }
}

if (document.querySelector("main [data-live]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain live";
  document.querySelector("[data-live=clock]").after(button);
  new Live(button);
}
