(() => {
  const room = document.querySelector("[data-room]")
  const at = name => room.querySelector(name)
  const button = at("button"), title = document.title
  let lost = 0, said = "", timer
  const write = (name, text) => { const to = at(name); if (to.textContent !== text) to.textContent = text }
  const later = seconds => { clearTimeout(timer); timer = setTimeout(look, seconds * 1000) }
  const show = now => {
    room.dataset.state = now.state
    write("h1", now.heading)
    write(".place b", now.count)
    write(".place span", now.unit)
    write(".time", now.time)
    at("progress").value = now.progress
    document.title = now.count ? `${now.count} before you` + title.slice(7) : title
    // Read out when it means something new: the time, not every place.
    const news = now.state === "waiting" ? now.time : now.heading
    if (said && news !== said) write(".said", now.state === "waiting" ? `${now.count} ${now.unit}, ${now.time}` : news)
    said = news
  }
  const look = async () => {
    try {
      const answer = await fetch(location.href, {headers: {"waiting-room": room.dataset.room}, cache: "no-store"})
      if (answer.status > 499) throw answer
      if (!answer.headers.has("waiting-room")) return location.reload()
      const now = await answer.json()
      lost = 0
      at(".lost").hidden = true
      if (now.state === "waiting" || button) show(now)
      if (now.state === "waiting") return later(now.look_s)
      document.title = "It is your turn" + title.slice(7)
      if (!button) return location.reload()
      if (button.hidden) { button.hidden = false; button.focus() }
      later(now.look_s)
    } catch {
      at(".lost").hidden = ++lost < 2
      later(Math.min(60, 3 * 2 ** lost) * (0.8 + Math.random() * 0.4))
    }
  }
  if (button) button.onclick = () => location.reload()
  later(+room.dataset.look)
})()
