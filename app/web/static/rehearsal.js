// Keeps a rehearsal page up to date while one looks at it. The pages work without this.
"use strict";

const main = document.querySelector("main[data-live-from]");
const served = new WeakMap(); // An element's HTML as it came, before the browser or a visitor touched it.
let asking = false;

// Somebody is writing, reading or about to press something there: it stays as it is.
function isBusy(element) {
  if (element.contains(document.activeElement) || element.querySelector("details[open]")) return true;
  return [...element.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue);
}

// Makes one live part like its newer self, child by child, so that nothing else moves.
function renew(part, newer) {
  let changed = false;
  const keyed = [...part.children, ...newer.children].every((child) => child.id);
  if (!keyed || newer.children.length === 0) {
    if (part.innerHTML === newer.innerHTML || isBusy(part)) return false;
    part.replaceChildren(...newer.childNodes);
    return true;
  }
  const left = new Map([...part.children].map((child) => [child.id, child]));
  let before = null;
  for (const child of [...newer.children]) {
    const old = left.get(child.id);
    left.delete(child.id);
    let stays = old;
    if (!old || ((served.get(old) ?? old.outerHTML) !== child.outerHTML && !isBusy(old))) {
      stays = document.importNode(child, true);
      served.set(stays, child.outerHTML);
      if (old) old.replaceWith(stays);
      else stays.classList.add("fresh");
      changed = true;
    }
    const place = before ? before.nextElementSibling : part.firstElementChild;
    if (stays !== place && !isBusy(stays)) part.insertBefore(stays, place);
    else if (!stays.isConnected) part.append(stays);
    before = stays.parentElement === part ? stays : before;
  }
  for (const gone of left.values()) {
    if (isBusy(gone)) continue;
    gone.remove();
    changed = true;
  }
  return changed;
}

async function look() {
  if (asking || document.hidden) return;
  asking = true;
  try {
    const answer = await fetch(main.dataset.liveFrom, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    let changed = false;
    for (const part of document.querySelectorAll("[data-live]")) {
      const newer = page.getElementById(part.id);
      if (newer) changed = renew(part, newer) || changed;
    }
    if (changed) document.querySelector("[data-changed]").textContent = `Something new at ${new Date().toLocaleTimeString()}.`;
  } catch {
    // The service is restarting; the next look may reach it.
  } finally {
    asking = false;
  }
}

if (main) setInterval(look, 1000);
