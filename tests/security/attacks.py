"""Texts that mean something in one of the languages a text passes through, and would do harm there if it were taken for more than text."""

CANARY = "window.taken"
"""What every script among the attacks sets in the page."""

_RUN = f"{CANARY}=1"

TEXTS = (
    # HTML
    f"<script>{_RUN}</script>",
    f"</script><script>{_RUN}</script>",
    f"</title></style></textarea><script>{_RUN}</script>",
    f"<img src=x onerror={_RUN}>",
    f"\"><img src=x onerror='{_RUN}'>",
    f"' onmouseover='{_RUN}' autofocus onfocus='{_RUN}",
    f"<svg onload={_RUN}>",
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg><animate onbegin={_RUN} attributeName=x dur=1s>",
    f'<math><maction actiontype="statusline" xlink:href="javascript:{_RUN}">x</maction></math>',
    f'<a href="javascript:{_RUN}">click</a>',
    '<iframe src="https://example.org/"></iframe>',
    f'<iframe srcdoc="<script>parent.{_RUN}</script>">',
    '<object data="file:///etc/passwd"></object>',
    '<base href="https://example.org/">',
    '<meta http-equiv="refresh" content="0;url=https://example.org/">',
    '<link rel="stylesheet" href="https://example.org/a.css">',
    "<style>* { display: none }</style>",
    '<form action="https://example.org/"><input name=a></form>',
    "<!-- a comment that does not end",
    "<![CDATA[ x ]]> ]]>",
    "&lt;b&gt; &amp; &#x3c; &nbsp;",
    "</main></body></html>",
    # JSON and JavaScript in a page
    f'"}}]}}</script><script>{_RUN}//',
    f"${{{_RUN}}} `{_RUN}`",
    "\\u003cscript\\u003e \\x3c \\n",
    "<!--<script>",
    "__proto__ constructor",
    # Plotly
    f'<b>bold</b> <a href="javascript:{_RUN}">x</a> <br> %{{x}} %{{meta[0]}}',
    "<extra>more</extra> %{customdata} 100 %",
    # Jinja
    "{{ 7 * 7 }} {% for x in y %} {# c #}",
    "<< setting('narrow', 'label') >> <% include '/etc/passwd' %> <# c #>",
    "<< ''.__class__.__mro__ >>",
    # Typst
    '#read("/etc/passwd")',
    '#import "/etc/passwd": x; #eval("1+1")',
    '"); #panic("x") #("',
    "*strong* _emphasis_ = heading #let x = 1; @label <label> //c /* c",
    # TeX and formulas
    "\\input{/etc/passwd} \\write18{id}",
    "one $ alone",
    "$\\frac{1}{$ and $x^",
    "$x$ $$y$$ \\(z\\) \\[w\\]",
    # Markdown
    "![x](https://example.org/a.png) [x](javascript:alert(1))",
    "[x]{.only-html} `<b>`{=html} {#id .class onclick=x}",
    "# heading ## - item 1. item > quote | cell | ::: {.answer}",
    "[@jacot2018] @fig:target [^1]: note [a]: b",
    "***a*** ~~b~~ ^c^ ~d~ ``` e ``` --- ...",
    # files, tables, shells
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://example.org","x")',
    "@SUM(1+1) +1+1 -2+3",
    "../../../../etc/passwd",
    "; rm -rf / $(id) `id` | cat",
    "%s %n %(x)s {0} {x!r:>9}",
    # YAML and JSON
    "!!python/object/apply:os.system [id]",
    "*alias &anchor <<: {a: 1}",
    "null",
    # letters
    "Zażółć gęślą jaźń, e\u0301",
    "a\u00a0b\u2009c\u200bd",
    "Pneumonoultramicroscopicsilicovolcanoconiosis and" + " more" * 12,
)
"""What is taken as a text and shown as it is."""

REFUSED = (
    "a\0b",
    "a\x1b[31mb",
    "a\x07b",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "abc\u202edcba",
    "a\u2066b",
    "a\u200fb",
    "a\ufeffb",
    "a\ufffeb",
    "a\r\nb",
    "\ud800",
    "x" * 61,
    "x " * 1001,
)
"""What cannot be shown, and is refused when it is read."""
