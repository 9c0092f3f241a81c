/** The page of the reference: lines as they come, and a button for each ask. */
export const PAGE = `<!doctype html>
<title>bare</title>
<main class="words"></main>
<script type="module">
  const main = document.querySelector("main");
  const socket = new WebSocket("ws://" + location.host + "/lines");
  window.order = (words) => socket.send(words);
  socket.onopen = () => document.documentElement.dataset.open = "yes";
  socket.onmessage = ({ data }) => {
    const [kind, first] = data.split(" ");
    window.heard?.push(data);
    if (kind === "end") window.ended?.();
    if (kind === "grow") main.append(data.slice(5) + " ");
    if (kind === "ask") {
      const card = document.createElement("article");
      card.dataset.ask = first;
      const button = document.createElement("button");
      button.dataset.decide = "";
      button.textContent = data;
      button.onclick = () => { socket.send("answer " + first); card.remove(); };
      card.append(button);
      main.append(card);
    }
  };
</script>`;
