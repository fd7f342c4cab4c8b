// Hides the questions that do not fit the filters.
const form = document.querySelector("form");
const items = [...document.querySelectorAll("details")];
const show = () => {
  const words = form.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const item of items) {
    const data = item.dataset;
    const fits =
      (!form.mark.value || data.mark.split(" ").includes(form.mark.value)) &&
      (!form.status.value || data.status === form.status.value) &&
      (!form.tag.value || data.tags.split("\n").includes(form.tag.value)) &&
      words.every((word) => item.textContent.toLowerCase().includes(word));
    item.hidden = !fits;
    shown += fits;
  }
  form.querySelector("output").textContent = `${shown} of ${items.length}`;
};
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();
