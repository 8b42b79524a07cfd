// The page works without this. With it, forms are answered in place: what was typed survives a broken connection, Back
// works without posting again, and a request that is under way keeps itself up to date.
const html = globalThis.trustedTypes?.createPolicy("centre", { createHTML: (text) => text });
const parse = (text) => new DOMParser().parseFromString(html ? html.createHTML(text) : text, "text/html");
const $ = (selector, within = document) => within.querySelector(selector);
const PARTS = [".skip", ".top", "main", ".bottom"];
const load = Math.random();
const seen = [];
class Unreadable extends Error {}
let at = 0;
let busy = false;
let left = false;

const state = () => ({ title: document.title, lang: document.documentElement.lang, parts: PARTS.map((part) => $(part)) });
const say = (text) => { $("#announce").textContent = text; };

function show({ title, lang, parts }) {
  parts.forEach((part, n) => $(PARTS[n]).replaceWith(part));
  document.title = title;
  document.documentElement.lang = lang;
}

function arrive() {
  const focus = $("#alert") ?? $("h1");
  focus?.focus({ preventScroll: true });
  scrollTo(0, 0);
  say(document.title);
}

function turn(answer) {
  seen[at] = state();
  seen.length = ++at;
  show({
    title: answer.title,
    lang: answer.documentElement.lang,
    parts: PARTS.map((part) => document.adoptNode($(part, answer))),
  });
  seen[at] = state();
  history.pushState({ load, at }, "");
  arrive();
  $("[data-start]")?.click();
}

async function post(form, submitter) {
  const fields = new URLSearchParams(new FormData(form, submitter));
  const answer = await fetch(form.action, { method: "POST", body: fields, headers: { Accept: "text/html" } });
  const page = parse(await answer.text());
  if (!$("main", page)) throw new Unreadable();
  return page;
}

function complain(form, text) {
  $(".alert.here", form)?.remove();
  const alert = document.createElement("div");
  alert.className = "alert here";
  alert.setAttribute("role", "alert");
  const line = document.createElement("p");
  line.textContent = text;
  alert.append(line);
  form.append(alert);
}

addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  left ||= form.id === "out";
  if (form.method !== "post" || form.classList.contains("plain-post")) return;
  event.preventDefault();
  if (busy) return;
  busy = true;
  submitter?.setAttribute("aria-disabled", "true");
  const late = setTimeout(() => say($("main").dataset.slow), 1500);
  try {
    turn(await post(form, submitter));
  } catch (error) {
    complain(form, $("main").dataset[error instanceof Unreadable ? "failed" : "offline"]);
  } finally {
    clearTimeout(late);
    busy = false;
    submitter?.removeAttribute("aria-disabled");
  }
});

// A link within the page moves the focus and makes no entry of its own in the history.
addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  target.focus();
});

addEventListener("popstate", (event) => {
  const to = event.state ? event.state.at : 0;
  if (!seen[to] || (event.state && event.state.load !== load)) return location.reload();
  seen[at] = state();
  at = to;
  show(seen[at]);
  arrive();
});

// Back shows nothing of whoever signed out, although a browser may have kept the page as it was.
addEventListener("pageshow", (event) => {
  if (event.persisted && left) location.reload();
});

// A request under way: every few seconds, while somebody looks, only what changed is put in place.
setInterval(async () => {
  const main = $("main[data-refresh]");
  const form = main && $("#refresh");
  if (!form || busy || document.hidden) return;
  try {
    const fresh = $("main", await post(form));
    if ($("main") !== main || busy || fresh?.dataset.state !== main.dataset.state) return;
    if (fresh.dataset.status !== main.dataset.status) {
      const { id } = document.activeElement;
      const inside = main.contains(document.activeElement);
      main.replaceWith(document.adoptNode(fresh));
      if (inside) ((id && document.getElementById(id)) || $("h1")).focus({ preventScroll: true });
      return say($("[data-live=status]").textContent.trim());
    }
    for (const part of main.querySelectorAll("[data-live]")) {
      const next = $(`[data-live=${part.dataset.live}]`, fresh);
      if (next && next.outerHTML !== part.outerHTML && !part.contains(document.activeElement)) part.replaceWith(document.adoptNode(next));
    }
  } catch { /* the next round tries again */ }
}, 5000);
