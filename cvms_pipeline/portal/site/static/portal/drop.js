// Lets a file be dragged into the form, says which one was chosen, and sends it once.
for (const form of document.querySelectorAll("form[data-drop]")) {
  const zone = form.querySelector(".drop-zone");
  const input = form.querySelector("input[type=file]");
  const chosen = form.querySelector("[data-chosen]");

  const say = (text) => {
    chosen.textContent = text;
  };

  const describe = () => {
    const [file] = input.files;
    if (!file) return say("");
    const size = `${file.size.toLocaleString("en-US")} bytes`;
    say(file.size > Number(form.dataset.max) ? `${file.name}: ${form.dataset.tooLarge}` : `Chosen: ${file.name}, ${size}`);
  };

  input.addEventListener("change", describe);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const { files } = event.dataTransfer;
    if (files.length !== 1) return say("Drop one file at a time.");
    input.files = files;
    describe();
    form.querySelector("button[type=submit]").focus();
  });
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    if (input.files.length && input.files[0].size > Number(form.dataset.max)) {
      event.preventDefault();
      describe();
      return input.focus();
    }
    form.dataset.sent = "yes";
    say("The file is being sent.");
  });
  addEventListener("pageshow", () => {
    delete form.dataset.sent;
    describe();
  });
}

// A file that misses the box must not replace the page.
for (const name of ["dragover", "drop"]) {
  addEventListener(name, (event) => event.preventDefault());
}
