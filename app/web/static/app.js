// Keyboard, live updates and partial swaps. Every page works without this.
"use strict";

const body = document.body;
const prefix = body.dataset.prefix ?? "";
const main = () => document.getElementById("main");
let seen = body.dataset.version ?? ""; // the version of the page that is shown
let drawn = Date.now();
let busy = 0; // forms and visits on their way: no live update comes between

// --- making one piece of page like another, touching nothing that is alike -----------------------

const keyOf = (node) => (node.nodeType === 1 && node.id) || "";

function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || keyOf(old) !== keyOf(fresh)) {
    old.replaceWith(document.importNode(fresh, true));
    return;
  }
  if (old.nodeType === 3 && old.data !== fresh.data) old.data = fresh.data;
  if (old.nodeType !== 1) return;
  // What a reader has opened stays open.
  const stays = (name) => name === "open" && old.matches("dialog, details");
  for (const { name, value } of [...fresh.attributes])
    if (!stays(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes])
    if (!stays(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);

  const wanted = new Set([...fresh.children].map(keyOf));
  const known = new Map([...old.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let at = old.firstChild;
  const forward = () => {
    while (at && keyOf(at) && !wanted.has(keyOf(at))) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  };
  for (const child of [...fresh.childNodes]) {
    forward();
    const key = keyOf(child);
    let mine = key ? known.get(key) : at && !keyOf(at) && at.nodeName === child.nodeName ? at : null;
    if (!mine) {
      old.insertBefore(document.importNode(child, true), at);
      continue;
    }
    if (mine === at) at = at.nextSibling;
    else old.insertBefore(mine, at);
    morph(mine, child);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

// --- going somewhere without leaving --------------------------------------------------------------

function say(text, kind = "bad") {
  const box = document.createElement("p");
  box.className = kind;
  box.textContent = text;
  document.getElementById("said").replaceChildren(box);
}

function show(page, { live = false } = {}) {
  document.title = page.title;
  seen = page.body.dataset.version ?? "";
  drawn = Date.now();
  for (const id of live ? ["rail", "main"] : ["rail", "main", "said"])
    morph(document.getElementById(id), page.getElementById(id));
  enhance();
}

async function read(answer) {
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// Shows what a fetch brought; false where it was something else than a page of ours in its frame.
// `stays`: it is the answer to a form, not a page with an address of its own.
async function take(answer, { replace = false, stays = false } = {}) {
  const page = await read(answer);
  if (!page.getElementById("main") || !page.getElementById("rail")) {
    location.assign(answer.url);
    return;
  }
  const path = location.pathname;
  show(page);
  if (answer.redirected || (answer.ok && !stays)) {
    const same = new URL(answer.url).pathname === path;
    history[replace && same ? "replaceState" : "pushState"]({}, "", answer.url);
  }
  tidyAddress();
  const spot = document.querySelector("main [aria-invalid='true'], main [data-look-here]");
  if (spot) spot.focus();
  else if (document.activeElement === body || !document.activeElement) main().focus({ preventScroll: true });
}

async function go(url, options) {
  busy += 1;
  try {
    await take(await fetch(url, { headers: { Accept: "text/html" } }), options);
  } catch {
    location.assign(url);
  } finally {
    busy -= 1;
  }
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.opens).showModal();
    return;
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
    return;
  }
  const copier = event.target.closest("[data-copy]");
  if (copier) {
    navigator.clipboard?.writeText(copier.dataset.copy).then(() => say("Copied.", "good"));
    return;
  }
  const link = event.target.closest("a[data-swap]");
  if (link) {
    event.preventDefault();
    go(link.href);
  }
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || "plain" in form.dataset || event.defaultPrevented) return;
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  form.ariaBusy = "true";
  busy += 1;
  try {
    // A button may have an address of its own.
    const action = event.submitter?.hasAttribute("formaction") ? event.submitter.formAction : form.action;
    const answer = await fetch(action, { method: "POST", body: fields, headers: { Accept: "text/html" } });
    if (answer.ok || answer.status === 422) {
      if (answer.ok) {
        form.closest("dialog")?.close();
        // What was typed stays, secrets too: they never leave the browser for the page again.
        if (!("keeps" in (event.submitter?.dataset ?? {}))) form.reset();
      } else for (const secret of form.querySelectorAll("[type='password']")) secret.value = "";
      await take(answer, { replace: true, stays: true });
    } else {
      const page = await read(answer);
      say(page.querySelector("[data-wrong]")?.textContent.trim() ?? "That did not work.");
    }
  } catch {
    say("Fullcircle cannot be reached. What you typed is still here; try again.");
  } finally {
    form.ariaBusy = null;
    busy -= 1;
  }
});

window.addEventListener("popstate", () => go(location.href, { replace: true }));

// What was just done is said once, not again after a reload.
function tidyAddress() {
  const url = new URL(location.href);
  if (!url.searchParams.has("did")) return;
  for (const name of ["did", "of"]) url.searchParams.delete(name);
  history.replaceState({}, "", url);
  clearTimeout(tidyAddress.later);
  tidyAddress.later = setTimeout(() => document.getElementById("said").replaceChildren(), 12000);
}

// --- live -----------------------------------------------------------------------------------------

async function look() {
  if (document.hidden || busy || !main()?.hasAttribute("data-live")) return;
  const answer = await fetch(`${prefix}/live`, { cache: "no-store" });
  if (answer.status === 401) {
    say("You are signed out. Sign in in another window; what you typed here is kept.");
    return;
  }
  if (!answer.ok || (seen === (await answer.text()) && Date.now() - drawn < 20000)) return;
  const address = location.href;
  const fresh = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!fresh.ok || busy || address !== location.href) return;
  const page = await read(fresh);
  if (page.getElementById("main")?.hasAttribute("data-live")) show(page, { live: true });
}

async function keepLooking() {
  try {
    await look();
  } catch {
    // The service is restarting; the next look may reach it.
  }
  setTimeout(keepLooking, 600);
}

// --- keyboard -------------------------------------------------------------------------------------

function step(by) {
  const items = [...document.querySelectorAll("[data-list] a.item")];
  const at = items.findIndex((item) => item.ariaCurrent || item === document.activeElement);
  const next = items[at < 0 ? 0 : at + by];
  if (!next) return;
  if ("swap" in next.dataset) go(next.href, { replace: true });
  else next.focus();
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest?.("input, textarea, select");
  if (field) {
    if (event.key === "Escape" && !field.closest("dialog")) field.blur();
    return;
  }
  if (document.querySelector("dialog:modal")) return;
  if (event.key === "j" || event.key === "k") return step(event.key === "j" ? 1 : -1);
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]:not(:disabled)`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input, textarea, select")) target.focus();
  else target.click();
  if (target.matches("summary")) target.parentElement.querySelector("input:not([type=hidden])")?.focus();
});

// --- what only a script can add -------------------------------------------------------------------

function ago(at) {
  const minutes = Math.floor(Math.abs(Date.now() - at) / 60000);
  const text = minutes < 60 ? `${minutes} min` : minutes < 1440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
  return minutes < 1 ? "now" : at > Date.now() ? `in ${text}` : text;
}

function tellTimes() {
  for (const time of document.querySelectorAll("time[data-moment], time[data-ago]")) {
    const at = new Date(time.dateTime);
    const day = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
    const written = at.toLocaleString(undefined, at.getFullYear() === new Date().getFullYear() ? day : { ...day, year: "numeric" });
    const text = "ago" in time.dataset ? ago(at) : written;
    if (time.textContent !== text) time.textContent = text;
    if ("ago" in time.dataset) time.title = written;
  }
}

const counting = new WeakMap();
document.addEventListener("input", (event) => {
  const area = event.target;
  const { countAt, countIn, costsIn } = area.dataset;
  if (!countAt) return;
  clearTimeout(counting.get(area));
  counting.set(
    area,
    setTimeout(async () => {
      const fields = new URLSearchParams({ csrf: area.form.elements.csrf.value, text: area.value });
      const answer = await fetch(countAt, { method: "POST", body: fields });
      const output = document.getElementById(countIn);
      if (!answer.ok || !output) return;
      const count = await answer.json();
      output.textContent = count.text;
      output.classList.toggle("bad", count.over);
      if (costsIn) document.getElementById(costsIn).textContent = count.costs ?? "";
    }, 200),
  );
});

// Runs after every swap.
function enhance() {
  tellTimes();
  for (const dialog of document.querySelectorAll("dialog[open]:not(:modal)")) {
    dialog.close();
    dialog.showModal();
  }
  for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  // The post that is read stays the one that is read when newer ones come in.
  const panes = document.querySelector("[data-reads]");
  if (panes?.dataset.reads && matchMedia("(min-width: 901px)").matches) {
    const url = new URL(location.href);
    if (!url.searchParams.has("post")) {
      url.searchParams.set("post", panes.dataset.reads);
      history.replaceState({}, "", url);
    }
  }
}

enhance();
tidyAddress();
setInterval(tellTimes, 20000);
if (main()) keepLooking();
document.querySelector(".menu [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
