// Shows by itself how something goes on: the element #live is read again from the address
// in `data-live`, which extends no session, until it has none. What is new is said in #said.
const FIRST_MILLISECONDS = 400;
const MOST_MILLISECONDS = 5000;
const live = document.getElementById("live");
const said = document.getElementById("said");
let pause = FIRST_MILLISECONDS;

async function look() {
  try {
    const answer = await fetch(live.dataset.live, { redirect: "manual" });
    if (answer.type === "opaqueredirect") return; // logged out: the dialog says so
    if (answer.ok) show(await answer.text());
  } catch {
    // no connection: the next look may have one
  }
  schedule();
}

function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const news = page.getElementById("live");
  if (!news) return;
  if (!news.dataset.live) delete live.dataset.live;
  if (news.innerHTML === live.innerHTML) return;
  live.replaceChildren(...news.childNodes);
  document.title = page.title;
  const words = live.querySelector("[data-said]");
  if (said && words && said.textContent !== words.textContent) said.textContent = words.textContent;
}

function schedule() {
  if (!live.dataset.live) return;
  setTimeout(look, pause);
  pause = Math.min(pause * 1.3, MOST_MILLISECONDS);
}

schedule();
