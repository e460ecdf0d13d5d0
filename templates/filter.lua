--[[
Turns the conventions of the chapters into HTML or Typst; the output format decides which.

Three passes over the document: the first keeps what belongs to this format and rejects raw code elsewhere, the second gives each
figure, table, equation, section and question its number (in the order of the text, the same in both formats), the third writes
them. Problems are collected and written to the standard error at the end, one line each: `problem`, the text to look for in the
Markdown, the message. Formulas are converted by math.lua. See scripts/common/typesetting.py for the conventions.
]]

local TYPST = FORMAT == "typst"
local NBSP = "\u{a0}"

local BLOCKS = pandoc.List {
  "question", "answer", "task", "correction", "space", "details", "table", "only-html", "only-pdf",
}
local SPANS = pandoc.List { "verdict", "evidence", "only-html", "only-pdf", "underline", "mark", "smallcaps" }
local VERDICTS = pandoc.List { "supported", "refuted", "inconclusive" }
local BOXES = { question = "Question", answer = "Answer", task = "Task", correction = "Correction" }
local MAX_LINES = 60
local SCHEMES = pandoc.List { "", "https", "http", "mailto" }
local ATTRIBUTES = { -- of blocks, words and pictures; others would be attributes of HTML, and run there as some do
  Div = pandoc.List { "lines", "number", "summary" }, Image = pandoc.List { "alt" },
}

local problems = pandoc.List {}
local ids = {} -- every identifier
local labels = {} -- identifier -> {name = "Figure", number = "3"}
local papers = {} -- key -> true, of each cited paper whose data are known
local counts = { Figure = 0, Table = 0, Equation = 0, Question = 0 }

local function problem(place, message)
  problems:insert(string.format("problem\t%s\t%s\n", (place:match("[^\n]+") or ""):gsub("\t", " "), (message:gsub("%s+", " "))))
end

local function stringify(content)
  return (pandoc.utils.stringify(content):gsub("%s+", " "))
end

-- Text of the two formats --------------------------------------------------------------------------------------------------

local HTML_ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function html_text(text)
  return (text:gsub("[&<>\"']", HTML_ESCAPES))
end

local function typst_string(text)
  return '"' .. text:gsub("[\\\"]", "\\%0"):gsub("%c", " ") .. '"'
end

local function raw(text)
  return pandoc.RawInline(TYPST and "typst" or "html", text)
end

local function raw_block(text)
  return pandoc.RawBlock(TYPST and "typst" or "html", text)
end

-- Opens a content block of Typst; the empty expression keeps what follows from being read as a list or heading.
local OPEN = "[#none;"

local function label_of(id)
  return id == "" and "" or " <" .. id .. ">"
end

local function id_of(id)
  return id == "" and "" or ' id="' .. html_text(id) .. '"'
end

local function between(opening, blocks, closing)
  local result = pandoc.List { raw_block(opening) }
  result:extend(blocks)
  result:insert(raw_block(closing))
  return result
end

-- Math ---------------------------------------------------------------------------------------------------------------------

local math_script = pandoc.path.join { pandoc.path.directory(PANDOC_SCRIPT_FILE), "math.lua" }
local tell_math, convert_math = dofile(math_script)(TYPST, problem, html_text)

local function alt_math(tex)
  return typst_string((tex:gsub("%s+", " "):match("^ ?(.-) ?$")))
end

local function inline_math(math)
  local display = math.mathtype == "DisplayMath"
  local text = convert_math(math.text, display)
  if TYPST then
    return raw(string.format("#math.equation(block: %s, alt: %s, %s);", display, alt_math(math.text), text))
  end
  if display then
    text = '<span class="equation" role="group" aria-label="Equation" tabindex="0">' .. text .. "</span>"
  end
  return raw(text)
end

local function numbered_equation(tex, id, number)
  local text = convert_math(tex, true)
  if TYPST then
    return raw_block(string.format('#math.equation(block: true, numbering: "(1)", alt: %s, %s)%s', alt_math(tex), text, label_of(id)))
  end
  return raw_block(string.format(
    '<div class="numbered-equation"%s><div class="equation" role="group" aria-label="Equation %s" tabindex="0">%s</div>' ..
    '<span class="equation-number">(%s)</span></div>', id_of(id), number, text, number))
end

-- Pass 1: what belongs to this format ---------------------------------------------------------------------------------------

local function keep_raw(element)
  if element.format == FORMAT:gsub("%d", "") then
    element.format = "kept"
    return element
  end
end

-- What stands in one format only must not be counted, or the numbers of the two would differ.
local function check_unnumbered(element)
  local function refuse(inner)
    problem(stringify(inner), string.format(
      "a heading, figure, numbered table or equation, or question stands in a block '%s', which one of the formats leaves out; move it out",
      element.classes[1]))
  end
  element:walk {
    Header = refuse,
    Figure = refuse,
    Table = function(inner) if #inner.caption.long > 0 then refuse(inner) end end,
    Div = function(inner) if inner.classes:includes("question") or inner.identifier:find("^eq:") then refuse(inner) end end,
  }
end

local function only(element)
  local folded = element.classes:includes("details")
  local html, pdf = folded or element.classes:includes("only-html"), element.classes:includes("only-pdf")
  if not html and not pdf then return nil end
  check_unnumbered(element)
  if html and TYPST or pdf and not TYPST then return {}, false end
  element = element:walk { RawInline = keep_raw, RawBlock = keep_raw }
  return folded and element or element.content
end

local function reject_raw(element)
  if element.format == "kept" then return nil end
  if element.format == "html" and element.text:find("^%s*<!%-%-") then return {} end
  problem(element.text, string.format(
    "raw %s '%s' would be lost in the other format; write it as Markdown, put a backslash before a literal < or \\, " ..
    "or put HTML in a block ::: {.only-html}", element.format, element.text:sub(1, 40)))
end

-- Nothing has an attribute, beside names and classes, but those that have a meaning here.
local function check_attributes(element)
  local allowed = ATTRIBUTES[element.t] or pandoc.List {}
  for key in pairs(element.attributes) do
    if not allowed:includes(key) then
      problem(key .. "=", string.format("the attribute '%s' is unknown; known: %s", key, #allowed > 0 and table.concat(allowed, ", ") or "none"))
    end
  end
end

-- Pass 2: numbers -----------------------------------------------------------------------------------------------------------

local function register(id, place)
  if id == "" then return end
  if ids[id] then
    problem("#" .. id, string.format("identifier '%s' is used twice; identifiers are unique in the report", id))
  elseif not id:find("^[%a\128-\255][%w\128-\255_:.-]*$") then
    problem(place or "#" .. id, string.format("identifier '%s' must be letters, digits and _ : . - and start with a letter", id))
  end
  ids[id] = true
end

local function count(name, id, number)
  counts[name] = counts[name] + 1
  number = number or tostring(counts[name])
  if id ~= "" then labels[id] = { name = name, number = number } end
  return number
end

local section = {} -- numbers of the open headings
local depth = 0

local function number_header(header)
  register(header.identifier, stringify(header))
  local level = header.level
  if level > depth + 1 then
    problem(stringify(header), string.format(
      "heading '%s' skips a level; begin it with %s, one # more than the heading before it", stringify(header), string.rep("#", depth + 1)))
  end
  depth = level
  if header.classes:includes("unnumbered") then return nil end
  for deeper = level + 1, #section do section[deeper] = nil end
  for higher = 1, level do section[higher] = section[higher] or 0 end
  section[level] = section[level] + 1
  header.attributes.number = table.concat(section, ".")
  labels[header.identifier] = { name = "Section", number = header.attributes.number }
  return header
end

local function image_of(figure)
  local images = pandoc.List {}
  figure:walk { Image = function(image) images:insert(image) end }
  return #images == 1 and images[1] or nil
end

local function number_figure(figure)
  local image = image_of(figure)
  local place = image and image.src or figure.identifier
  register(figure.identifier)
  if not image then
    problem(place, "a figure holds one picture")
  end
  if #figure.caption.long == 0 then
    problem(place, string.format("figure '%s' has no caption", place))
  end
  figure.attributes.number = count("Figure", figure.identifier)
  return figure, false
end

-- `::: {#tbl:name .table}` with one table and perhaps a paragraph `: caption`.
local function table_of(div)
  local rest, found = pandoc.List {}, nil
  for _, block in ipairs(div.content) do
    local text = block.t == "Para" and block.content[1].t == "Str" and block.content[1].text == ":"
    if block.t == "Table" and not found then
      found = block
    elseif found and text and #found.caption.long == 0 then
      found.caption.long = { pandoc.Plain(pandoc.List { table.unpack(block.content, 3) }) }
    else
      rest:insert(block)
    end
  end
  if not found then
    problem("#" .. div.identifier, string.format("block '%s' of class 'table' holds no table; write a pipe table in it", div.identifier))
    return nil
  end
  if #found.caption.long == 0 then
    problem("#" .. div.identifier, string.format("table '%s' has no caption; add a paragraph ': caption' below it", div.identifier))
  end
  found.attr = div.attr
  return found, rest
end

local function number_table(element)
  if #element.caption.long > 0 then
    register(element.identifier)
    element.attributes.number = count("Table", element.identifier)
  end
  return element, false
end

local function number_equation(div)
  local paragraph = #div.content == 1 and div.content[1]
  local math = paragraph and paragraph.content and #paragraph.content == 1 and paragraph.content[1]
  register(div.identifier)
  if not math or math.t ~= "Math" or math.mathtype ~= "DisplayMath" then
    problem("#" .. div.identifier, string.format("block '%s' holds one equation in $$ ... $$ and nothing else", div.identifier))
    return nil
  end
  return numbered_equation(math.text, div.identifier, count("Equation", div.identifier)), false
end

local function number_div(div)
  if div.classes:includes("table") then
    local found, rest = table_of(div)
    if not found then return nil end
    rest:insert(1, (number_table(found)))
    return rest, false
  end
  if div.identifier:find("^eq:") then return number_equation(div) end
  register(div.identifier)
  if #div.classes ~= 1 or not BLOCKS:includes(div.classes[1]) then
    problem(div.classes[1] and "." .. div.classes[1] or "#" .. div.identifier, string.format(
      "block of class '%s' is unknown; known: %s", table.concat(div.classes, " "), table.concat(BLOCKS, ", ")))
  end
  if div.classes[1] == "question" then
    div.attributes.number = count("Question", div.identifier, div.attributes.number)
    return div
  end
end

local number = {
  traverse = "topdown",
  Header = number_header,
  Figure = number_figure,
  Table = number_table,
  Div = number_div,
  Span = function(span) register(span.identifier) end,
  CodeBlock = function(block) register(block.identifier) end,
}

-- Pass 3: both formats ------------------------------------------------------------------------------------------------------

local function reference(citation)
  local label = labels[citation.id]
  if papers[citation.id] then
    problem("@" .. citation.id, string.format("'@%s', a paper, stands in one pair of brackets with a reference; give it its own", citation.id))
    return raw("")
  elseif not label then
    local known = pandoc.List {}
    for id in pairs(labels) do known:insert(id) end
    known:sort()
    problem("@" .. citation.id, string.format(
      "reference '@%s' has no target; known: %s (put a backslash before a literal @)", citation.id, table.concat(known, ", ")))
    return raw("")
  end
  local short = citation.mode == "SuppressAuthor"
  local text = (short and "" or label.name .. NBSP) .. label.number
  if not TYPST then
    return raw(string.format('<a class="reference" href="#%s">%s</a>', html_text(citation.id), html_text(text)))
  elseif short or label.name == "Question" then
    return raw(string.format("#link(<%s>, %s);", citation.id, typst_string(text)))
  end
  return raw(string.format("#ref(<%s>);", citation.id))
end

local function cite(element)
  if element.citations:find_if(function(citation) return not papers[citation.id] end) == nil then return nil end
  local result = pandoc.List {}
  for index, citation in ipairs(element.citations) do
    if index > 1 then result:extend { pandoc.Str(index == #element.citations and " and" or ","), pandoc.Space() } end
    result:extend(citation.prefix)
    if #citation.prefix > 0 then result:insert(pandoc.Space()) end
    result:insert(reference(citation))
    result:extend(citation.suffix)
  end
  return result
end

local ICONS = {
  supported = '<path d="M3 8.5l3.2 3.2L13 4.8"/>',
  refuted = '<path d="M4 4l8 8M12 4l-8 8"/>',
  inconclusive = '<path d="M3 6.2q2.5-2.6 5 0t5 0M3 10.8q2.5-2.6 5 0t5 0"/>',
}

local function span(element)
  local class = element.classes[1]
  if class and not SPANS:includes(class) then
    problem("." .. class, string.format("inline class '%s' is unknown; known: %s", class, table.concat(SPANS, ", ")))
  elseif class == "evidence" then
    element.content:insert(1, pandoc.Str("("))
    element.content:insert(pandoc.Str(")"))
    if not TYPST then return element end
    element.content:insert(1, raw("#evidence" .. OPEN))
    element.content:insert(raw("];"))
    return element.content
  elseif class == "verdict" then
    local verdict = element.classes[2]
    if not VERDICTS:includes(verdict) or stringify(element) == "" then
      problem(".verdict", string.format("a verdict has words and one of the classes %s", table.concat(VERDICTS, ", ")))
      return nil
    end
    if TYPST then
      element.content:insert(1, raw("#verdict(" .. typst_string(verdict) .. ")" .. OPEN))
      element.content:insert(raw("];"))
      return element.content
    end
    element.content:insert(1, raw('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">' .. ICONS[verdict] .. "</svg>"))
    return element
  end
end

-- A minus sign before a number, also in an exponent: a hyphen there looks poor and lets the line break.
local function minus(text)
  return (text:gsub("(%de)%-(%d)", "%1\u{2212}%2"):gsub("^([%(%[]?)%-(%d)", "%1\u{2212}%2"))
end

local SIGNS = { ["="] = true, ["<"] = true, [">"] = true, ["≤"] = true, ["≥"] = true, ["≈"] = true, ["×"] = true, ["±"] = true }

-- Keep a formula in a line of HTML together with the punctuation that touches it.
local function together(inlines)
  local result, run, holds_math = pandoc.List {}, pandoc.List {}, false
  local function flush()
    if holds_math and #run > 1 then
      run:insert(1, raw('<span class="together">'))
      run:insert(raw("</span>"))
    end
    result:extend(run)
    run, holds_math = pandoc.List {}, false
  end
  for _, element in ipairs(inlines) do
    local text = element.t == "RawInline" and element.text or ""
    if element.t == "Space" or element.t == "SoftBreak" or element.t == "LineBreak" or text:find("^<span") then
      flush()
      result:insert(element)
    else
      run:insert(element)
      holds_math = holds_math or text:find("^<math") ~= nil
    end
  end
  flush()
  return result
end

-- Text in whose long words Typst may break a line: behind a sign, or after so many letters; a browser does so by itself. Words that
-- are to stay on one line, as those of an interval, do so if they fit on it.
local LONGEST_RUN, LONGEST_LINE = 20, 60
local function breakable(text)
  local fits = utf8.len(text) <= LONGEST_LINE
  local result, run = pandoc.List {}, pandoc.List {}
  local function finish()
    local since = 0
    for place, letter in ipairs(run) do
      result:insert(letter)
      since = since + 1
      if #run > LONGEST_RUN and place < #run and (since > 4 and letter:find("%p") or since == LONGEST_RUN) then
        result:insert("\u{200b}")
        since = 0
      end
    end
    run = pandoc.List {}
  end
  for _, code in utf8.codes(text) do
    local letter = utf8.char(code)
    if letter:find("[%s/-]") or fits and letter == NBSP then
      finish()
      result:insert(letter)
    else
      run:insert(letter)
    end
  end
  finish()
  return table.concat(result)
end

-- Mends the words of a line, and keeps "n = 20", "3 × 10" and "95 %" on one line. Whatever needs nothing is left alone: what is
-- handed back is converted anew, word by word, which takes pandoc most of its time.
local function unbroken(inlines)
  local changed, holds_math = false, false
  for index, element in ipairs(inlines) do
    local tag = element.t
    if tag == "Str" then
      local text = element.text
      local sign = SIGNS[text]
      if sign or text:find("^%%") then
        local before, after = inlines[index - 1], inlines[index + 1]
        local between = sign and before and after and after.t == "Space"
        if before and before.t == "Space" then inlines[index - 1], changed = pandoc.Str(NBSP), true end
        if between then inlines[index + 1], changed = pandoc.Str(NBSP), true end
      elseif text:find("-", 1, true) and text ~= minus(text) then
        inlines[index], changed = pandoc.Str(minus(text)), true
      elseif TYPST and #text > LONGEST_RUN and text ~= breakable(text) then
        inlines[index], changed = pandoc.Str(breakable(text)), true
      end
    elseif tag == "RawInline" then
      holds_math = holds_math or element.text:find("^<math") ~= nil
    end
  end
  if holds_math and not TYPST then return together(inlines) end
  return changed and inlines or nil
end

local function code_block(block)
  if not TYPST then
    block.attributes.tabindex = "0"
    return block
  end
end

local function link(element)
  if not SCHEMES:includes(element.target:lower():match("^%s*([^/?#]*):") or "") then
    problem(element.target, string.format(
      "link to '%s' leads to what is no page; its address may begin with https:, http: or mailto:, or stand beside the report", element.target))
  end
  local target = element.target:match("^#(.*)")
  if target and not ids[target] then
    problem(element.target, string.format("link to '#%s' has no target", target))
  end
end

local function header(element)
  if TYPST or not element.attributes.number then return nil end
  element.content:insert(1, raw('<span class="heading-number">' .. element.attributes.number .. "</span> "))
  element.attributes.number = nil
  return element
end

-- Figures ---------------------------------------------------------------------------------------------------------------------

-- Width and height of a picture in points (a CSS pixel is 3/4 of a point); nil where it states none.
local function size_of(text)
  if text:sub(2, 4) == "PNG" then
    local width, height = string.unpack(">I4I4", text, 17)
    local chunk = text:sub(1, 2000):find("pHYs", 1, true)
    local points = chunk and 72 / (string.unpack(">I4", text, chunk + 4) * 0.0254) or 0.75
    return width * points, height * points
  end
  local function length(name)
    local value, unit = text:match("<svg[^>]-%s" .. name .. '="([%d.]+)(%a*)"')
    return value and tonumber(value) * (unit == "pt" and 1 or 0.75)
  end
  return length("width"), length("height")
end

local function read_picture(source)
  if source:find("^%a+:") or source:find("^/") or source:find("%.%.") then
    problem(source, string.format("picture '%s' must be a path inside the folder of the report", source))
    return nil
  end
  local file = io.open(source, "rb")
  local text = file and file:read("a")
  if file then file:close() end
  if not text then
    problem(source, string.format("picture '%s' is missing; build it, or correct the path", source))
  elseif not source:find("%.svg$") and not source:find("%.png$") and not source:find("%.jpe?g$") then
    problem(source, string.format("picture '%s' is not an .svg, .png or .jpg", source))
  elseif source:find("%.svg$") and not text:find("<svg") then
    problem(source, string.format("picture '%s' is not an SVG; build it again", source))
  elseif source:find("%.svg$") and text:find("<text") then
    problem(source, string.format("picture '%s' holds text in a font; draw its text as paths (matplotlib: svg.fonttype: path)", source))
  end
  return text
end

local function figure(element)
  local image = image_of(element)
  if not image then return nil end
  local text = read_picture(image.src)
  local alt = stringify(image.caption)
  if alt == "" or alt == stringify(element.caption.long) then
    problem(image.src, string.format('figure \'%s\' has no text of its own for readers who cannot see it; add {alt="..."}', image.src))
  end
  local width, height
  if text then width, height = size_of(text) end
  local caption = pandoc.utils.blocks_to_inlines(element.caption.long)
  local label, id = element.attributes.number, element.identifier
  if TYPST then
    local size = width and height and string.format("size: (%.2fpt, %.2fpt), ", width, height) or ""
    caption:insert(1, raw(string.format("#picture(%s, alt: %s, %scaption: %s", typst_string("/" .. image.src), typst_string(alt), size, OPEN)))
    caption:insert(raw("])" .. label_of(id)))
    return pandoc.Plain(caption)
  end
  local size = width and height and string.format(' width="%.0f" height="%.0f"', width / 0.75, height / 0.75) or ""
  local shape = (width and width > 400 and " full" or "") .. (width and width / height > 2.2 and " wide" or "")
  caption:insert(1, raw(string.format(
    '<figure%s><div class="picture%s" role="group" aria-label="Figure %s" tabindex="0"><img loading="lazy" src="%s" alt="%s"%s></div>' ..
    '<figcaption><span class="label">Figure%s%s.</span> ', id_of(id), shape, label, html_text(image.src), html_text(alt), size, NBSP, label)))
  caption:insert(raw("</figcaption></figure>"))
  return pandoc.Plain(caption)
end

local function stray_image(image)
  problem(image.src, string.format("picture '%s' must stand in a paragraph of its own and have a caption", image.src))
end

-- Tables ----------------------------------------------------------------------------------------------------------------------

local ALIGNMENTS = { AlignLeft = "left", AlignRight = "right", AlignCenter = "center", AlignDefault = "left" }
local PROSE = 34 -- a column with a cell of more characters is set as wrapped text

local function rows_of(element)
  local rows = pandoc.List {}
  for _, body in ipairs(element.bodies) do rows:extend(body.body) end
  return rows
end

-- Number of characters of the longest cell of each column.
local function lengths_of(element)
  local lengths = pandoc.List {}
  if #element.head.rows ~= 1 then
    problem("#" .. element.identifier, string.format("table '%s' needs one header row", element.identifier))
  end
  local rows = pandoc.List(element.head.rows) .. rows_of(element)
  for _, row in ipairs(rows) do
    for column, cell in ipairs(row.cells) do
      if cell.col_span > 1 or cell.row_span > 1 then
        problem("#" .. element.identifier, string.format("table '%s' has merged cells; give each row every cell", element.identifier))
      end
      lengths[column] = math.max(lengths[column] or 0, utf8.len(stringify(cell.contents)) or 0)
    end
  end
  return lengths
end

local function typst_table(element, lengths)
  local columns, alignments = pandoc.List {}, pandoc.List {}
  for column, spec in ipairs(element.colspecs) do
    alignments[column] = ALIGNMENTS[spec[1]]
    columns[column] = lengths[column] > PROSE and string.format("%.1ffr", math.sqrt(lengths[column])) or "auto"
  end
  local result = pandoc.List {}
  local function write(content, opening, closing)
    result:insert(raw(opening .. OPEN))
    result:extend(pandoc.utils.blocks_to_inlines(content))
    result:insert(raw("]" .. closing))
  end
  local function write_row(row, ending)
    for _, cell in ipairs(row.cells) do write(cell.contents, "", ", ") end
    result:insert(raw(ending))
  end
  local numbered = #element.caption.long > 0
  result:insert(raw(numbered and "#numbered-table(" or "#plain-table("))
  if numbered then write(element.caption.long, "caption: ", ", ") end
  result:insert(raw(string.format("columns: (%s,), align: (%s,), header: (", table.concat(columns, ", "), table.concat(alignments, ", "))))
  for _, row in ipairs(element.head.rows) do write_row(row, "") end
  result:insert(raw("),\n"))
  for _, row in ipairs(rows_of(element)) do write_row(row, "\n") end
  result:insert(raw(")" .. (numbered and label_of(element.identifier) or "")))
  return pandoc.Plain(result)
end

-- Keeps an interval in brackets on one line; what stands before it may stand above it.
local function kept_in_brackets(inlines)
  local inside = false
  for index, element in ipairs(inlines) do
    if element.t == "Str" and element.text:find("[()]") then
      inside = element.text:find("%([^)]*$") ~= nil
    elseif element.t == "Space" and inside then
      inlines[index] = pandoc.Str(NBSP)
    end
  end
  return inlines
end

local function html_table(element, lengths)
  local label = element.attributes.number
  local function mark(row, scope_of)
    for column, cell in ipairs(row.cells) do
      local alignment = ALIGNMENTS[element.colspecs[column][1]]
      if alignment ~= "left" then cell.classes:insert(alignment) end
      if alignment == "right" then cell.contents = cell.contents:walk { Inlines = kept_in_brackets } end
      if lengths[column] > PROSE then cell.classes:insert("prose") end
      cell.attributes.scope = scope_of(column)
    end
  end
  for _, row in ipairs(element.head.rows) do mark(row, function() return "col" end) end
  for _, body in ipairs(element.bodies) do
    for _, row in ipairs(body.body) do mark(row, function(column) return column == 1 and "row" or nil end) end
    body.row_head_columns = 1
  end
  element.colspecs = element.colspecs:map(function() return { pandoc.AlignDefault, nil } end)
  local opening = string.format('<div class="table-frame"%s role="group" aria-label="Table%s" tabindex="0">',
    id_of(element.identifier), label and " " .. label or "")
  if label then
    local caption = pandoc.utils.blocks_to_inlines(element.caption.long)
    caption:insert(1, raw('<span class="caption-text"><span class="label">Table' .. NBSP .. label .. ".</span> "))
    caption:insert(raw("</span>"))
    element.caption.long = { pandoc.Plain(caption) }
  end
  element.attr = pandoc.Attr()
  return between(opening, { element }, "</div>")
end

local function any_table(element)
  local lengths = lengths_of(element)
  return (TYPST and typst_table or html_table)(element, lengths)
end

-- Boxes -----------------------------------------------------------------------------------------------------------------------

local function box(div, class)
  local label = BOXES[class] .. (div.attributes.number and " " .. div.attributes.number or "")
  if TYPST then
    return between(string.format("#boxed(%s, %s%s)[", typst_string(class), typst_string(label),
      div.identifier == "" and "" or ", target: <" .. div.identifier .. ">"), div.content, "]")
  end
  return between(string.format('<div class="box %s"%s><p class="box-label">%s</p>', class, id_of(div.identifier), html_text(label)),
    div.content, "</div>")
end

local function space(div)
  local lines = math.tointeger(tonumber(div.attributes.lines))
  if not lines or lines < 1 or lines > MAX_LINES then
    problem('lines="' .. (div.attributes.lines or ""), string.format(
      "room to write has lines=\"%s\"; it needs a whole number from 1 to %d", div.attributes.lines or "", MAX_LINES))
    return nil
  end
  if TYPST then return raw_block("#room(" .. lines .. ")") end
  return raw_block('<div class="space" aria-hidden="true">' .. string.rep("<div></div>", lines) .. "</div>")
end

local function details(div)
  if not div.attributes.summary then
    problem(".details", "a block of details needs summary=\"...\"")
  end
  local summary = html_text(div.attributes.summary or "")
  return between(string.format("<details%s><summary>%s</summary><div>", id_of(div.identifier), summary), div.content, "</div></details>")
end

local function div_block(div)
  local class = div.classes[1]
  if BOXES[class] then return box(div, class) end
  if class == "space" then return space(div) end
  if class == "details" then return details(div) end
end

-- Papers ----------------------------------------------------------------------------------------------------------------------

-- Fills in the citations, and returns the document with the list of what it cites under a heading of its own.
local function with_bibliography(document)
  if next(papers) == nil then return document end
  document.meta["link-citations"] = true
  document = pandoc.utils.citeproc(document)
  local list = pandoc.List { raw(TYPST and "#papers(" or '<ul class="papers" role="list">') }
  for _, entry in ipairs(document.blocks:remove().content) do
    entry:walk { RawInline = reject_raw, Link = link }
    list:insert(raw(TYPST and string.format("paper(<%s>)%s", entry.identifier, OPEN) or "<li" .. id_of(entry.identifier) .. ">"))
    list:extend(pandoc.utils.blocks_to_inlines(entry.content))
    list:insert(raw(TYPST and "],\n" or "</li>\n"))
  end
  list:insert(raw(TYPST and ")" or "</ul>"))
  document.blocks:insert(pandoc.Header(1, "Bibliography", pandoc.Attr("sec:bibliography", { "unnumbered" })))
  document.blocks:insert(pandoc.Plain(list))
  return TYPST and document:walk { Cite = function(element) return element.content end } or document
end

-- The document ----------------------------------------------------------------------------------------------------------------

local function unkeep(element)
  if element.format == "kept" then
    element.format = TYPST and "typst" or "html"
    return element
  end
end

function Pandoc(document)
  document:walk {
    Div = check_attributes, Span = check_attributes, Link = check_attributes, Image = check_attributes, Header = check_attributes,
    Code = check_attributes, CodeBlock = check_attributes, Table = check_attributes, Figure = check_attributes,
  }
  document = document:walk {
    traverse = "topdown", Div = only, Span = only, RawInline = reject_raw, RawBlock = reject_raw,
    Math = function(math) tell_math(math.text, math.mathtype == "DisplayMath") end,
  }
  for _, paper in ipairs(pandoc.utils.references(document)) do papers[paper.id] = true end
  document = document:walk(number)
  document = document:walk {
    Math = inline_math, Cite = cite, Span = span, Link = link, Inlines = unbroken, Header = header, CodeBlock = code_block,
  }
  if #problems == 0 then document = with_bibliography(document) end
  document = document:walk { Figure = figure, Table = any_table, Div = div_block }
  document = document:walk { Image = stray_image, RawInline = unkeep, RawBlock = unkeep }
  if #problems > 0 then
    io.stderr:write(table.concat(problems))
    os.exit(1)
  end
  if not TYPST then
    local contents = pandoc.structure.table_of_contents(document, pandoc.WriterOptions { toc_depth = 3 })
    document.blocks:insert(1, contents)
    document.blocks:insert(2, raw_block("<!-- contents end -->"))
  end
  return document
end
