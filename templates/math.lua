--[[
Converts formulas from TeX to MathML or to Typst, so that they look the same in both.

Pandoc does the work; what it gets wrong in one of the formats is mended here where that can be done with certainty, and reported
as a problem where it cannot. Returns a function of whether the format is Typst, of the function that takes a problem (place,
message), and of the function that escapes text for HTML; that returns two: one that is told of each formula (TeX, displayed?)
beforehand, and the converter: (TeX, displayed?) -> text of the format. All formulas that were told of are converted at once, since
each call of pandoc takes its time.
]]

-- Constructs that come out wrong or not at all in one of the formats: the construct, and what to write instead.
local UNSUPPORTED = {
  { "\\|", "\\lVert ... \\rVert" },
  { "\\begin{array}", "pmatrix, bmatrix or cases" },
  { "\\begin{Vmatrix}", "\\left\\lVert ... \\right\\rVert around a matrix" },
  { "\\begin{smallmatrix}", "pmatrix" },
  { "\\substack", "one line of conditions, separated by commas" },
  { "\\left.", "an ordinary bar with an index, as in f |_{w}" },
  { "\\middle", "\\mid" },
  { "\\tag", "a block ::: {#eq:name} around the equation, which numbers it" },
  { "\\label", "a block ::: {#eq:name} around the equation" },
  { "\\big", "\\left( ... \\right)" },
  { "\\Big", "\\left( ... \\right)" },
  { "\\xrightarrow", "\\to" },
  { "\\bm", "\\boldsymbol" },
  { "\\overset", "\\hat, \\bar or words" },
  { "{,}", "1500 or 1\\,500" },
}

-- Combining accents are misplaced over single letters; their spacing twins are not.
local ACCENTS = { ["\u{302}"] = "\u{2c6}", ["\u{303}"] = "\u{2dc}", ["\u{307}"] = "\u{2d9}", ["\u{308}"] = "\u{a8}", ["\u{203e}"] = "\u{af}" }

local MATHML = pandoc.WriterOptions { html_math_method = "mathml" }

-- Bold letters as characters of their own, upright: pandoc would make them bold italic in MathML.
local function bold(group)
  local content = group:match("^{(.*)}$") or group
  content = content:gsub("\\%a+", "\\boldsymbol{%0}"):gsub("%f[\\%a]\\?%a+", function(word)
    if word:sub(1, 1) == "\\" then return nil end
    return (word:gsub("%a", function(letter)
      local code = letter:byte()
      return utf8.char(letter:find("%l") and 0x1d41a + code - 97 or 0x1d400 + code - 65)
    end))
  end)
  return "{" .. content .. "}"
end

local function problem_of(tex)
  for _, entry in ipairs(UNSUPPORTED) do
    if tex:find(entry[1], 1, true) then
      return string.format("math '%s' does not look alike in HTML and PDF; write %s", entry[1], entry[2])
    end
  end
  if select(2, tex:gsub("\\%a+%s*|", ""):gsub("|", "")) > 1 then
    return "math has more than one plain bar '|', which has no side; write \\lvert ... \\rvert for absolute values and \\mid between two parts"
  end
  for rows in tex:gmatch("\\begin{aligned}(.-)\\end{aligned}") do
    for row in (rows:find("\\begin") and "" or rows .. "\\\\"):gmatch("(.-)\\\\") do
      if select(2, row:gsub("&", "")) > 1 then
        return "math 'aligned' has more than one & in a row; write one column of equations"
      end
    end
  end
end

local function prepare(tex, typst)
  tex = tex:gsub("\\begin{vmatrix}", "\\left|\\begin{matrix}"):gsub("\\end{vmatrix}", "\\end{matrix}\\right|")
  tex = tex:gsub("\\left%s*\\lvert%f[%A]", "\\left|"):gsub("\\right%s*\\rvert%f[%A]", "\\right|")
  tex = tex:gsub("\\lvert%f[%A]", "\\left|"):gsub("\\rvert%f[%A]", "\\right|"):gsub("\\mathrm{(%a%a+)}", "\\text{%1}")
  if typst then
    tex = tex:gsub("\\operatorname%*{(%a+)}", "\\operatorname{%1*}")
    return (tex:gsub("\\begin{cases}.-\\end{cases}", function(cases) return (cases:gsub("&", "&\\quad ")) end))
  end
  tex = tex:gsub("\\operatorname%*(%b{})_(%b{})", "\\underset%2{\\operatorname%1}"):gsub("\\operatorname%*", "\\operatorname")
  return (tex:gsub("\\mathbf%s*(%b{})", bold):gsub("\\mathbf%s+(%a)", bold))
end

local function mend_typst(text)
  text = text:gsub("#h%(%-1em%)", "#h(-0.1667em)"):gsub("#h%(0em%)", "#h(0.2778em)") -- \! and \;
  text = text:gsub("(%a+)%.circle%f[%A]", "%1.o") -- \odot, \oplus, \otimes
  return (text:gsub('([^%("])"(%a+)%*"', '%1op("%2", limits: #true)'):gsub('([^%("])"(%a+)"', '%1op("%2")'))
end

local function mend_mathml(text)
  text = text:gsub(' xmlns="[^"]*"', ""):gsub(' style="[^"]*"', ""):gsub("<mi>∇</mi>", '<mi mathvariant="normal">∇</mi>')
  text = text:gsub('<mrow>(<mi mathvariant="normal">%a+</mi><mo>&#8289;</mo>)', '<mrow class="operator">%1')
  text = text:gsub('<munder>(<mi mathvariant="normal">%a%a+</mi>)', '<munder><mrow class="operator">%1</mrow>')
  return (text:gsub("<mover>(.-)</mover>", function(inner)
    local base, accent = inner:match('^(.*)<mo accent="true">([^<]+)</mo>$')
    if not base then return nil end
    accent = not base:find("^<mrow") and ACCENTS[accent] or accent
    local class = accent == "→" and ' class="arrow"' or ""
    return string.format('<mover accent="true">%s<mo accent="true"%s>%s</mo></mover>', base, class, accent)
  end))
end

local SEPARATOR = "\u{1d}"

return function(typst, report, escape)
  local format = typst and "typst" or "html"
  local converted = { [true] = {}, [false] = {} } -- TeX -> text, by whether it is displayed
  local waiting = pandoc.List {}

  local function tell(tex, displayed)
    if not converted[displayed][tex] then
      converted[displayed][tex] = ""
      waiting:insert { tex = tex, displayed = displayed, problem = problem_of(tex) }
    end
  end

  local function mended(formula, text)
    if formula.problem then report(formula.tex, formula.problem) end
    if not text:find(typst and "^%$" or "^<math") then
      if not formula.problem then report(formula.tex, "math cannot be read; check the spelling of its commands and its braces") end
      return ""
    end
    if typst then return mend_typst(text) end
    local source = '<annotation encoding="application/x-tex">' .. escape(formula.tex:match("^%s*(.-)%s*$")) .. "</annotation>"
    return mend_mathml((text:gsub("<annotation.-</annotation>", function() return source end)))
  end

  local function convert_waiting()
    local blocks = pandoc.List {}
    for _, formula in ipairs(waiting) do
      local kind = formula.displayed and pandoc.DisplayMath or pandoc.InlineMath
      blocks:insert(pandoc.Plain { pandoc.Math(kind, prepare(formula.tex, typst)) })
      blocks:insert(pandoc.RawBlock(format, SEPARATOR))
    end
    local place = 0
    for text in pandoc.write(pandoc.Pandoc(blocks), format, MATHML):gmatch("%s*([^" .. SEPARATOR .. "]-)%s*" .. SEPARATOR) do
      place = place + 1
      local formula = waiting[place]
      converted[formula.displayed][formula.tex] = mended(formula, text)
    end
    waiting = pandoc.List {}
  end

  return tell, function(tex, displayed)
    tell(tex, displayed)
    if #waiting > 0 then convert_waiting() end
    return converted[displayed][tex]
  end
end
