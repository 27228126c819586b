# A picture's text to SVG. One statement a line, # begins a comment line; lengths in pixels, points as x,y, texts in double quotes.
#
#   picture WIDTH HEIGHT "TITLE"
#   network X Y WIDTH HEIGHT "NAME" "PREFIX"     a wire, with its name at the right end
#   host client|director|server|router X Y WIDTH HEIGHT "NAME" "LINE"…
#   wire POINT POINT                             from a host to its network
#   way request|reply NUMBER POINT POINT…        an arrow along the points; its number is on the longest part
#   note X Y "TEXT"
#   key X Y "LINE"…                              what the colours mean, and further lines
#   columns Y X "HEAD" X "HEAD" …                the packets below the picture: where each column begins; the last X is where they end
#   leg request|reply NUMBER "CELL"…             the packet on this leg of its way; * before a cell: it has changed here; "": none
#
# Light and dark are one file: the colours change with the reader's.

BEGIN { corner = 10; badge = 10; leg_height = 30 }

/^[ \t]*(#|$)/ { next }

{ words = split_words($0, word) }

word[1] == "picture" { begin_picture(word[2], word[3], word[4]); next }
word[1] == "network" { draw_network(); next }
word[1] == "host"    { draw_host(); next }
word[1] == "wire"    { draw_wire(word[2], word[3]); next }
word[1] == "way"     { draw_way(); next }
word[1] == "note"    { text_at(word[2], word[3], "note", "start", word[4]); next }
word[1] == "key"     { draw_key(word[2], word[3]); next }
word[1] == "columns" { set_columns(); next }
word[1] == "leg"     { draw_leg(); next }
{ printf "%s:%d: unknown statement %s\n", FILENAME, FNR, word[1] > "/dev/stderr"; failed = 1; exit 1 }

END { if (!failed) { printf "%s%s</svg>\n", below, above } }

function split_words(line, into,    count) {
  for (count = 0; match(line, /^[ \t]*("[^"]*"|[^ \t"]+)/); line = substr(line, RLENGTH + 1)) {
    into[++count] = substr(line, 1, RLENGTH)
    gsub(/^[ \t]*"?|"$/, "", into[count])
  }
  return count
}

function escaped(text) {
  gsub(/&/, "\\&amp;", text)
  gsub(/</, "\\&lt;", text)
  gsub(/>/, "\\&gt;", text)
  return text
}

# Arrows and their numbers lie above hosts and wires, whatever the order of statements.
function put_below(text) { below = below text "\n" }
function put_above(text) { above = above text "\n" }

function begin_picture(width, height, title) {
  put_below(sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">", width, height, width, height))
  put_below("<!-- made by docs/pictures/draw.sh; change the .txt beside it -->")
  put_below("<title>" escaped(title) "</title>")
  while ((getline line < style) > 0) put_below(line)
  close(style)
  put_below(sprintf("<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\"/>", width - 1, height - 1))
}

function rectangle(class, x, y, width, height, radius) {
  return sprintf("<rect class=\"%s\" x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" rx=\"%g\"/>", class, x, y, width, height, radius)
}

function text_at(x, y, class, anchor, text) {
  put_below(sprintf("<text class=\"%s\" x=\"%g\" y=\"%g\" text-anchor=\"%s\">%s</text>", class, x, y, anchor, escaped(text)))
}

function draw_network() {
  put_below(rectangle("network", word[2], word[3], word[4], word[5], word[5] / 2))
  text_at(word[2] + word[4] - 18, word[3] + word[5] / 2 + 4, "network-name", "end", word[6] (words > 6 ? "  " word[7] : ""))
}

function draw_host(    i, x, y) {
  x = word[3] + word[5] / 2
  y = word[4] + (word[6] - (words - 7) * 17) / 2 + 5
  put_below(rectangle("host " word[2], word[3], word[4], word[5], word[6], word[2] == "router" ? word[6] / 2 : 6))
  text_at(x, y, "name", "middle", word[7])
  for (i = 8; i <= words; ++i) text_at(x, y + (i - 7) * 17, "address", "middle", word[i])
}

function read_point(text, number,    parts) {
  split(text, parts, ",")
  px[number] = parts[1]
  py[number] = parts[2]
}

function draw_wire(from, to) {
  read_point(from, 1)
  read_point(to, 2)
  put_below(sprintf("<path class=\"wire\" d=\"M%g %gL%g %g\"/>", px[1], py[1], px[2], py[2]))
}

function distance(i, j) { return sqrt((px[i] - px[j]) ^ 2 + (py[i] - py[j]) ^ 2) }

# The point at `far` from point i towards point j, as "x y".
function towards(i, j, far,    part) {
  part = far / distance(i, j)
  return sprintf("%g %g", px[i] + (px[j] - px[i]) * part, py[i] + (py[j] - py[i]) * part)
}

function draw_way(    kind, number, points, i, path, longest, at) {
  kind = word[2]
  number = word[3]
  points = words - 3
  for (i = 1; i <= points; ++i) read_point(word[i + 3], i)
  path = "M" px[1] " " py[1]
  for (i = 2; i < points; ++i)
    path = path "L" towards(i, i - 1, corner) "Q" px[i] " " py[i] " " towards(i, i + 1, corner)
  path = path "L" towards(points, points - 1, 8)
  put_above("<path class=\"way " kind "\" d=\"" path "\"/>")
  put_above(arrow_head(kind, points))
  longest = 2
  for (i = 3; i <= points; ++i) if (distance(i, i - 1) > distance(longest, longest - 1)) longest = i
  split(towards(longest - 1, longest, 0.3 * distance(longest, longest - 1)), at, " ")  # not the middle, where the way back has its own
  put_above(numbered(kind, number, at[1], at[2]))
}

function arrow_head(kind, tip,    dx, dy) {
  dx = 11 * (px[tip] - px[tip - 1]) / distance(tip, tip - 1)
  dy = 11 * (py[tip] - py[tip - 1]) / distance(tip, tip - 1)
  return sprintf("<path class=\"head %s\" d=\"M%g %gL%g %gL%g %gZ\"/>", kind, px[tip], py[tip],
    px[tip] - dx - dy / 2, py[tip] - dy + dx / 2, px[tip] - dx + dy / 2, py[tip] - dy - dx / 2)
}

function numbered(kind, number, x, y) {
  return sprintf("<circle class=\"badge %s\" cx=\"%g\" cy=\"%g\" r=\"%g\"/><text class=\"number\" x=\"%g\" y=\"%g\" text-anchor=\"middle\">%s</text>",
    kind, x, y, badge, x, y + 4, number)
}

function draw_key(x, y,    i) {
  put_below(sprintf("<path class=\"way request\" d=\"M%g %gh26\"/>", x, y))
  put_below(sprintf("<path class=\"way reply\" d=\"M%g %gh26\"/>", x, y + 20))
  put_below(rectangle("cell changed", x, y + 33, 26, 14, 3))
  text_at(x + 36, y + 4, "note", "start", "request")
  text_at(x + 36, y + 24, "note", "start", "reply")
  text_at(x + 36, y + 44, "note", "start", "changed by the director")
  for (i = 4; i <= words; ++i) text_at(x, y + 64 + (i - 4) * 18, "note", "start", word[i])
}

function set_columns(    i) {
  leg_y = word[2]
  columns = (words - 3) / 2
  for (i = 1; i <= columns + 1; ++i) column_x[i] = word[1 + 2 * i]
  for (i = 1; i <= columns; ++i) text_at(column_x[i] + 8, leg_y - 6, "head-text", "start", word[2 + 2 * i])
}

function draw_leg(    i, cell, class) {
  put_below(numbered(word[2], word[3], column_x[1] - 24, leg_y + leg_height / 2 - 3))
  for (i = 1; i <= columns && i + 3 <= words; ++i) {
    cell = word[i + 3]
    if (cell == "") continue
    class = sub(/^\*/, "", cell) ? "cell changed" : "cell"
    put_below(rectangle(class, column_x[i], leg_y, column_x[i + 1] - column_x[i] - 4, leg_height - 6, 3))
    text_at(column_x[i] + 8, leg_y + 16, "address", "start", cell)
  }
  leg_y += leg_height
}
