// Asks two minutes before the end of the session whether to go on. The server's clock
// decides: another tab may have extended the session, and this one may have slept.
const dialog = document.getElementById("session-dialog");
const text = document.getElementById("session-text");
const form = dialog.querySelector("form");
const warning = Number(dialog.dataset.warning);
const POLL_SECONDS = 15;
let timer = 0;

function schedule(seconds) {
  clearTimeout(timer);
  timer = setTimeout(ask, Math.max(1, seconds) * 1000);
}

async function ask(options = {}) {
  let left = 0;
  try {
    const answer = await fetch(dialog.dataset.url, { redirect: "manual", ...options });
    if (answer.ok) left = (await answer.json()).seconds;
    else if (answer.status >= 500) return schedule(POLL_SECONDS);
  } catch {
    return schedule(POLL_SECONDS); // no connection: nothing is known
  }
  if (left <= 0) return leave();
  if (left > warning) {
    if (dialog.open) dialog.close();
    return schedule(left - warning);
  }
  const minutes = Math.ceil(left / 60);
  const { minute, minutes: several } = dialog.dataset;
  text.textContent = minutes === 1 ? minute : several.replace("[N]", minutes);
  if (!dialog.open) dialog.showModal();
  schedule(Math.min(POLL_SECONDS, left));
}

function leave() {
  location.assign(`${dialog.dataset.login}?next=${encodeURIComponent(location.pathname)}`);
}

form.addEventListener("submit", (event) => {
  if (event.submitter.value !== "stay") return;
  event.preventDefault();
  ask({ method: "POST", body: new FormData(form) });
});
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  ask({ method: "POST", body: new FormData(form) });
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) ask();
});
ask();
