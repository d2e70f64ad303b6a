/// How the pages look: one column that fits a phone, light or dark as the reader's system is. The colours of text have a
/// contrast of at least 4.5 to 1 with what is behind them; Tests/Admin measures it.
enum StyleSheet {
    static let text = """
        :root {
          color-scheme: light dark;
          --page: #f5f6f8; --panel: #ffffff; --edge: #d5d9e0; --control: #7c8594; --shade: #1b223059;
          --ink: #1b2230; --soft: #535d6e; --accent: #1f5fbf; --on-accent: #ffffff;
          --good: #1a6e3c; --good-back: #e2f3e8; --careful: #7f5200; --careful-back: #fcefd2;
          --bad: #ab1f24; --bad-back: #fde5e4; --quiet: #4f5969; --quiet-back: #e8ebf0;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #12161d; --panel: #1b212b; --edge: #343c4a; --control: #7d8798; --shade: #000000b3;
            --ink: #e7eaf0; --soft: #a7b0bf; --accent: #84b3ff; --on-accent: #0d1420;
            --good: #79d79b; --good-back: #16331f; --careful: #f0c05a; --careful-back: #3a2c0c;
            --bad: #ff9c97; --bad-back: #421a1a; --quiet: #b4bcca; --quiet-back: #2a313d;
          }
        }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        html { -webkit-text-size-adjust: 100%; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
        a { color: var(--accent); }
        :focus-visible, input:focus-within { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
        main:focus { outline: none; }
        code, pre, textarea { font-family: ui-monospace, "Liberation Mono", monospace; font-size: .9em; }
        code { overflow-wrap: anywhere; }
        h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 1rem; }
        h2 { font-size: 1.15rem; margin: 2rem 0 .75rem; }
        h3 { font-size: 1.05rem; margin: 0; display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; }
        h3 .badge { margin-left: auto; }
        .name { overflow-wrap: anywhere; }
        .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); margin: 0; }
        .skip { position: absolute; left: -999rem; }
        .skip:focus { left: .5rem; top: .5rem; background: var(--panel); padding: .5rem 1rem; z-index: 1; }

        .top { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.5rem; padding: .5rem 1rem;
          background: var(--panel); border-bottom: 1px solid var(--edge); }
        .brand { font-weight: 700; padding: .5rem 0; }
        nav { flex: 1 1 auto; }
        nav ul { display: flex; flex-wrap: wrap; gap: .25rem; list-style: none; margin: 0; padding: 0; }
        nav a { display: block; padding: .5rem .75rem; border-radius: 6px; text-decoration: none; color: var(--ink); }
        nav a:hover { background: var(--quiet-back); }
        nav a[aria-current] { background: var(--quiet-back); font-weight: 600; box-shadow: inset 0 -3px var(--accent); }
        @media (max-width: 30rem) { th time, td time { display: inline-block; max-width: 7rem; white-space: normal; } }
        @media (max-width: 30rem) { nav ul { margin: 0 -.6rem; gap: 0; } nav a { padding: .4rem .6rem; } }
        main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem; position: relative; }
        footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem 1rem; color: var(--soft); font-size: .875rem; }

        .refresh { display: flex; align-items: center; gap: .5rem; margin: -.5rem 0 1rem; color: var(--soft); }
        @media (min-width: 48rem) { .refresh { position: absolute; right: 1rem; top: 1.6rem; margin: 0; } }
        .panel, .card { background: var(--panel); border: 1px solid var(--edge); border-radius: 8px; padding: 1rem; }
        .panel + .panel, form + .panel { margin-top: 1rem; }
        .narrow { max-width: 34rem; }
        .cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); }
        .card { border-left-width: 5px; min-width: 0; display: flex; flex-direction: column; }
        .card.good { border-left-color: var(--good); }
        .card.careful { border-left-color: var(--careful); }
        .card.bad { border-left-color: var(--bad); }
        .card.quiet { border-left-color: var(--quiet); }
        .what { margin: .25rem 0 .75rem; color: var(--soft); }
        .badge { display: inline-block; padding: .05rem .6rem; border-radius: 1rem; font-size: .875rem; font-weight: 600; }
        .good.badge, .notice.good { color: var(--good); background: var(--good-back); }
        .careful.badge, .notice.careful { color: var(--careful); background: var(--careful-back); }
        .bad.badge, .notice.bad { color: var(--bad); background: var(--bad-back); }
        .quiet.badge, .notice.quiet { color: var(--quiet); background: var(--quiet-back); }
        .notice { display: flex; gap: .75rem; padding: .75rem 1rem; border-radius: 8px; margin: 0 0 1rem; }
        .notice p { margin: 0; overflow-wrap: anywhere; }
        .notice p + p { margin-top: .25rem; }

        .facts { display: grid; gap: .5rem 1rem; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); margin: 0; }
        dt { color: var(--soft); font-size: .875rem; }
        dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
        .alarm dd { color: var(--bad); }
        .charts { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin-bottom: .75rem; }
        figure { margin: 0; min-width: 0; }
        figcaption { color: var(--soft); font-size: .875rem; }
        figcaption strong { color: var(--ink); font-size: 1.25rem; font-variant-numeric: tabular-nums; }
        .spark { display: block; width: 100%; height: 2.5rem; }
        .spark .line { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
        .spark .area { fill: var(--accent); opacity: .15; }
        .spark .base { stroke: var(--edge); vector-effect: non-scaling-stroke; }
        .actions { display: flex; flex-wrap: wrap; gap: .5rem; margin: auto 0 0; padding-top: .75rem; }
        .reasons { margin: 0 0 1rem; padding-left: 1.25rem; }

        /* A shadow at the edge behind which there is more. */
        .scroll { overflow-x: auto; background:
            linear-gradient(to right, var(--panel) 40%, transparent) left / 3rem 100% no-repeat local,
            linear-gradient(to left, var(--panel) 40%, transparent) right / 3rem 100% no-repeat local,
            linear-gradient(to right, var(--shade), transparent) left / .75rem 100% no-repeat scroll,
            linear-gradient(to left, var(--shade), transparent) right / .75rem 100% no-repeat scroll,
            var(--panel); border: 1px solid var(--edge); border-radius: 8px; }
        table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
        th, td { padding: .5rem .75rem; text-align: left; vertical-align: top; white-space: nowrap; }
        thead th { color: var(--soft); font-size: .875rem; border-bottom: 1px solid var(--edge); }
        tbody tr + tr > * { border-top: 1px solid var(--edge); }
        tbody th { font-weight: 600; }
        .number { text-align: right; font-variant-numeric: tabular-nums; }
        td .button { margin: -.15rem .25rem -.15rem 0; padding: .15rem .6rem; min-height: 0; }
        .wide { white-space: normal; min-width: 14rem; }

        form.panel { display: grid; gap: .5rem; }
        .filters { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin-bottom: 1rem; }
        .filters > div { display: grid; gap: .25rem; flex: 1 1 13rem; max-width: 20rem; }
        label { font-weight: 600; }
        .refresh label, .check label { font-weight: 400; }
        .check { display: flex; gap: .6rem; align-items: start; }
        .check input { margin-top: .3rem; }
        .hint { color: var(--soft); font-size: .9375rem; margin: 0 0 .5rem; }
        main > .hint { margin-top: 1.5rem; }
        input:not([type=checkbox]), select, textarea { width: 100%; min-width: 0; padding: .5rem .6rem; font-size: 1rem;
          color: var(--ink); background: var(--page); border: 1px solid var(--control); border-radius: 6px; }
        input:not([type=checkbox]), select { font-family: inherit; min-height: 2.5rem; }
        input[type=checkbox] { width: 1.1rem; height: 1.1rem; flex: none; accent-color: var(--accent); }
        textarea { min-height: 14rem; resize: vertical; }
        button, .button { display: inline-flex; align-items: center; justify-content: center; font: inherit; font-weight: 600;
          min-height: 2.5rem; padding: .25rem 1rem; border-radius: 6px; border: 1px solid var(--accent); cursor: pointer;
          background: var(--accent); color: var(--on-accent); text-decoration: none; justify-self: start; }
        .button, button.quiet { background: transparent; color: var(--accent); }
        button.danger { background: var(--bad); border-color: var(--bad); color: var(--panel); }
        button:hover, .button:hover { filter: brightness(1.1); }
        .choices { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin-top: .5rem; }
        pre { background: var(--page); border: 1px solid var(--edge); border-radius: 6px; padding: .75rem; margin: .5rem 0 0;
          overflow-x: auto; white-space: pre; max-height: 30rem; }
        .verdict { margin: 0 0 .25rem; display: flex; flex-wrap: wrap; gap: .25rem .75rem; justify-content: space-between; }
        .pairs { margin: .25rem 0 .75rem; padding-left: 1.25rem; }
        .stack { display: grid; gap: 1rem; }
        .stack > * { min-width: 0; }
        @media print { .top nav, .refresh, .actions, .skip { display: none; } }

        """
}
