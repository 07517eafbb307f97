export const STATUS_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Rookery · operator</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M8 1 3 6v8h3.5v-4h3v4H13V6z' fill='%233a7d6b'/%3E%3C/svg%3E">
<link rel="stylesheet" href="/operator.css">
</head>
<body>
<header>
  <h1>Rookery</h1>
  <span id="state" class="pill" role="status">…</span>
  <span id="identity" class="quiet"></span>
  <button id="forget" type="button" hidden>Forget token</button>
</header>
<form id="login" hidden>
  <h2>Operator's token</h2>
  <p>It was printed in the log when this server first started. To get a new one, stop the server, remove
    <code>operator-token</code> from its data folder and start it again.</p>
  <label for="token">Token</label>
  <div class="row"><input id="token" type="password" autocomplete="current-password" required>
  <button type="submit">Open</button></div>
  <p id="refused" class="bad" role="alert" hidden>That is not the token.</p>
</form>
<main id="status" hidden>
  <section class="cards" aria-label="Now" id="cards"></section>
  <section>
    <h2>Messages a second</h2>
    <div class="chart"><svg id="chart" viewBox="0 0 600 120" preserveAspectRatio="none" role="img" aria-label="Messages accepted and delivered a second, the last two minutes"></svg>
    <p class="legend"><span class="accepted">accepted</span><span class="delivered">delivered</span><output id="chart-max"></output></p></div>
  </section>
  <section id="pins-section" hidden>
    <h2>Latest PINs</h2>
    <p class="quiet">Shown because this is a development server: whoever sees them can register these numbers.</p>
    <div class="scroll"><table><thead><tr><th>Number</th><th>PIN</th><th>Sent</th><th>Good until</th></tr></thead><tbody id="pins"></tbody></table></div>
  </section>
  <section>
    <h2>Threads</h2>
    <div class="scroll"><table><thead><tr><th>Thread</th><th>State</th><th>Busy</th><th>Heap</th><th>Partitions</th><th>Connections</th></tr></thead><tbody id="threads"></tbody></table></div>
  </section>
  <section>
    <h2>Counters</h2>
    <div class="scroll"><table><thead><tr><th>Counter</th><th>Total</th><th>A second</th></tr></thead><tbody id="counters"></tbody></table></div>
  </section>
</main>
<script src="/operator.js"></script>
</body>
</html>
`;
