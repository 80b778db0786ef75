"""How the report looks: one column of text, quiet colours, light or dark as the reader has it."""

STYLE = """
:root{--ink:#1f2937;--soft:#5b6472;--paper:#fbfbf9;--card:#fff;--line:#e2e4e8;--accent:#0f766e;--warn:#b45309;
--warn-paper:#fff7e8}
@media(prefers-color-scheme:dark){:root{--ink:#e5e7eb;--soft:#9aa4b2;--paper:#0e131b;--card:#161d28;--line:#2a3443;
--accent:#5eead4;--warn:#fbbf24;--warn-paper:#221b0d}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);line-height:1.55;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-size:16px}
main{max-width:58rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:2rem;line-height:1.15;margin:0 0 .4rem;letter-spacing:-.02em;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:3rem 0 .6rem;padding-top:1.2rem;border-top:1px solid var(--line);letter-spacing:-.01em}
p{margin:.5rem 0;max-width:44rem}
.lead{color:var(--soft);margin-bottom:1.5rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.75rem;margin:1.25rem 0}
.cards>div{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.75rem .9rem}
.cards dt{font-size:.8rem;color:var(--soft)}
.cards dd{margin:0}
.cards strong{display:block;font-size:1.45rem;line-height:1.3;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
.cards span{font-size:.8rem;color:var(--soft)}
.cautions{background:var(--warn-paper);border-left:3px solid var(--warn);border-radius:.3rem;margin:1.25rem 0;
padding:.8rem 1.1rem .8rem 2.1rem}
.cautions li::marker{color:var(--warn)}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;min-width:min(100%,30rem);font-size:.92rem;font-variant-numeric:tabular-nums}
caption{caption-side:top;text-align:left;color:var(--soft);font-size:.85rem;padding-bottom:.35rem}
th,td{padding:.32rem .9rem .32rem 0;border-bottom:1px solid var(--line);vertical-align:baseline}
th{font-weight:600;font-size:.85rem;color:var(--soft)}
.word{text-align:left}
.figure{text-align:right;padding-left:.9rem}
figure{margin:1.25rem 0}
figcaption{color:var(--soft);font-size:.87rem;margin-top:.5rem;max-width:48rem}
video,img{display:block;width:100%;height:auto;border-radius:.5rem}
figure.small{max-width:34rem}
video{background:#0f172a;max-height:80vh;object-fit:contain}
.row{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.4rem}
.wide{overflow-x:auto}
.wide img{min-width:34rem;border-radius:0}
.swatch{white-space:nowrap;margin-right:.9rem}
.swatch i{display:inline-block;width:.75em;height:.75em;border-radius:.2em;margin-right:.35em;
box-shadow:0 0 0 1px rgba(127,127,127,.35)}
.range{display:inline-block;position:relative;width:9rem;height:.8rem;vertical-align:middle;
background:linear-gradient(var(--line),var(--line)) center/100% 1px no-repeat}
.range i{position:absolute;top:.15rem;height:.5rem;border-radius:.25rem;background:var(--accent);opacity:.35}
.range b{position:absolute;top:0;width:3px;height:.8rem;margin-left:-1px;border-radius:2px;background:var(--accent)}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.88em;overflow-wrap:anywhere}
a{color:var(--accent)}
@media print{body{font-size:11pt}section{break-inside:avoid}}
"""
