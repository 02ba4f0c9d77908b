// Shows who else looks at this case: asks every 20 seconds, which extends no session.
const PAUSE_MILLISECONDS = 20000;
const place = document.getElementById("looking");

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(place.dataset.url, { redirect: "manual" });
      if (answer.ok) show(await answer.text());
    } catch {
      // no connection: the next look may have one
    }
  }
  setTimeout(look, PAUSE_MILLISECONDS);
}

function show(text) {
  const news = new DOMParser().parseFromString(text, "text/html").body;
  if (news.textContent.trim() !== place.textContent.trim()) place.replaceChildren(...news.childNodes);
}

setTimeout(look, PAUSE_MILLISECONDS);
