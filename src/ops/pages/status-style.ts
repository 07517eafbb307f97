export const STATUS_STYLE = `
:root {
  --ground: #f6f5f1; --card: #fffefb; --ink: #22272b; --quiet: #6a7176; --line: #e2dfd6;
  --accent: #2f6f5e; --second: #b0772b; --bad: #b3362b; --good-ground: #dcece5; --bad-ground: #f6dedb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15191b; --card: #1d2326; --ink: #e6e8e6; --quiet: #99a2a5; --line: #2e363a;
    --accent: #6fc3a8; --second: #e0ab5f; --bad: #f08a7e; --good-ground: #1d3a31; --bad-ground: #472522;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; max-width: 62rem; padding: 1.25rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .8rem; margin-bottom: 1.25rem; }
h1 { font-size: 1.35rem; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1rem; margin: 1.75rem 0 .6rem; }
.quiet { color: var(--quiet); }
.bad { color: var(--bad); }
.pill { padding: .1rem .65rem; border-radius: 1rem; font-size: .85rem; background: var(--good-ground); color: var(--accent); }
.pill.bad { background: var(--bad-ground); color: var(--bad); }
#forget { margin-left: auto; }
button, input { font: inherit; color: inherit; border: 1px solid var(--line); border-radius: .45rem; padding: .35rem .8rem; background: var(--card); }
button { cursor: pointer; }
button:hover { border-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
form { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; padding: 1.25rem; max-width: 34rem; }
form h2 { margin-top: 0; }
.row { display: flex; gap: .5rem; }
.row input { flex: 1; min-width: 0; }
.cards { display: grid; gap: .7rem; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; padding: .7rem .9rem; }
.card dt { color: var(--quiet); font-size: .85rem; }
.card dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; letter-spacing: -.01em; overflow-wrap: anywhere; }
.card small { color: var(--quiet); display: block; font-size: .8rem; letter-spacing: 0; min-height: 1.2em; }
.chart, .scroll { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; padding: .8rem; }
.scroll { overflow-x: auto; padding: 0; }
svg { width: 100%; height: 7.5rem; display: block; }
svg path { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
svg .accepted { stroke: var(--accent); } svg .delivered { stroke: var(--second); }
.legend { display: flex; gap: 1.2rem; margin: .5rem 0 0; color: var(--quiet); font-size: .85rem; }
.legend span::before { content: ""; display: inline-block; width: .9rem; height: 2px; margin-right: .4rem; vertical-align: middle; background: var(--accent); }
.legend .delivered::before { background: var(--second); }
.legend output { margin-left: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .9rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
th { color: var(--quiet); font-weight: 500; font-size: .85rem; }
td.pin { font: 600 1.05rem ui-monospace, monospace; letter-spacing: .12em; }
`;
