enum PageScript {
    /// Refreshes the overview. Everything works without it.
    static let text = """
        "use strict";
        const live = document.getElementById("live");
        const summary = document.getElementById("summary");
        const box = document.getElementById("refresh");
        const isOn = document.getElementById("refresh-on");

        async function refresh() {
          // Whoever is in the middle of it, or does not look, is left alone.
          if (!isOn.checked || document.hidden || live.contains(document.activeElement)) return;
          let answer;
          try {
            answer = await fetch(location.href, { headers: { Accept: "text/html" } });
          } catch {
            return say("The daemon does not answer.");
          }
          if (!answer.ok) return say(`The daemon answers with ${answer.status}.`);
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          const fresh = page.getElementById("live");
          if (!fresh) return;
          live.replaceChildren(...fresh.childNodes);
          say(page.getElementById("summary").textContent);
        }

        function say(text) {
          if (summary.textContent === text) return;
          summary.textContent = text;
          summary.classList.toggle("hidden", !text.startsWith("The daemon"));
        }

        if (live && box) {
          box.hidden = false;
          setInterval(refresh, 10000);
        }

        """
}

enum Icon {
    static let text = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#1f5fbf"/>\
        <path d="M3 8h7M7 4.5 10.5 8 7 11.5M12.5 4v8" fill="none" stroke="#fff" stroke-width="1.6"/></svg>
        """
}
