#include "lab/picture.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/layout.hpp"

namespace penstock::lab {
namespace {

constexpr std::size_t caption_rows = 2;
constexpr std::size_t link_indent = 2;  // of a link in its box's width

std::string rate_text(const Rate& rate) {
  return fmt::format("{:>5} {:>6}", short_number(rate.packets), short_number(rate.bits));
}

Style style_of(const Rate& rate) { return rate.packets > 0 ? Style::flow : Style::dim; }

class Drawing {
 public:
  Drawing(const Topology& topology, const std::vector<LinkRate>& flows, const Size& size)
      : topology_(topology), flows_(flows), size_(size), canvas_(size) {}

  Canvas draw(const Caption& caption) && {
    canvas_.put(0, 0, caption.above, Style::bold);
    const auto layout =
        lay_out(topology_, {.columns = size_.columns, .rows = size_.rows - std::min(size_.rows, caption_rows)});
    const std::size_t rows = layout ? draw_picture(*layout) : draw_list();
    canvas_.put(0, 1 + rows, caption.below, Style::dim);
    return std::move(canvas_);
  }

 private:
  std::size_t draw_picture(const Layout& layout) {
    for (std::size_t i = 0; i < topology_.networks.size(); ++i) {
      canvas_.fill(0, 1 + layout.line_rows[i], "━", size_.columns, Style::dim);
    }
    for (const Box& box : layout.boxes) {
      draw_box(box);
      for (const PlacedLink& link : box.links) draw_link(box, link, 1 + layout.line_rows[link.network]);
    }
    for (std::size_t i = 0; i < topology_.networks.size(); ++i) name_line(layout, i);
    return layout.rows;
  }

  void draw_box(const Box& box) {
    const Host& host = topology_.hosts[box.host];
    const std::size_t top = 1 + box.row;
    const std::size_t bottom = top + box.rows - 1;
    const std::size_t right = box.column + box.columns - 1;
    for (const std::size_t row : {top, bottom}) canvas_.fill(box.column + 1, row, "─", box.columns - 2);
    canvas_.put(box.column, top, "┌");
    canvas_.put(right, top, "┐");
    canvas_.put(box.column, bottom, "└");
    canvas_.put(right, bottom, "┘");
    for (std::size_t row = top + 1; row < bottom; ++row) {
      canvas_.put(box.column, row, "│");
      canvas_.put(right, row, "│");
    }
    canvas_.put(box.column + 4, top, fmt::format(" {} ", host.name), Style::bold);
    const auto lines = lines_in_box(host);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      canvas_.put(box.column + 2, top + 1 + i, lines[i].substr(0, box.columns - 3));
    }
  }

  // Arrows point as the packets go on the screen.
  void draw_link(const Box& box, const PlacedLink& link, std::size_t line_row) {
    const bool is_above = link.side == Side::above;
    const std::size_t column = box.column + link_indent;
    const std::size_t row = is_above ? line_row + 1 : 1 + box.row + box.rows;
    const LinkRate& flow = link.rate < flows_.size() ? flows_[link.rate] : no_flow_;
    draw_direction(column, row, "▲", is_above ? flow.from_host : flow.to_host);
    draw_direction(column, row + 1, "▼", is_above ? flow.to_host : flow.from_host);
    canvas_.put(column, is_above ? row + link_rows : row - 1, is_above ? "┴" : "┬");
    meet(column, line_row, is_above ? "┯" : "┷");
  }

  void draw_direction(std::size_t column, std::size_t row, std::string_view arrow, const Rate& rate) {
    canvas_.put(column, row, "│");
    canvas_.put(column + 1, row, fmt::format("{} {}", arrow, rate_text(rate)), style_of(rate));
  }

  void meet(std::size_t column, std::size_t row, std::string_view character) {
    const Mark mark{.column = column, .row = row};
    const bool is_met_already = std::ranges::find(line_marks_, mark) != line_marks_.end();
    canvas_.put(column, row, is_met_already ? "┿" : character, Style::dim);
    line_marks_.push_back(mark);
  }

  // In the first stretch between two links that has room for it.
  void name_line(const Layout& layout, std::size_t network) {
    const std::size_t row = 1 + layout.line_rows[network];
    const std::string name = name_of(topology_.networks[network]);
    std::vector<std::size_t> marks;
    for (const Mark& mark : line_marks_) {
      if (mark.row == row) marks.push_back(mark.column);
    }
    marks.push_back(size_.columns);
    std::ranges::sort(marks);
    for (std::size_t i = 0; i + 1 < marks.size(); ++i) {
      if (marks[i + 1] - marks[i] < name.size() + 2) continue;
      canvas_.put(marks[i] + 2, row, name, Style::bold);
      return;
    }
  }

  static std::string name_of(const Network& network) {
    const Prefix& prefix = network.prefixes[0];
    return fmt::format(" {} {}/{} ", network.name, to_string(prefix.address), prefix.length);
  }

  // Gives the number of rows.
  std::size_t draw_list() {
    const std::size_t rows_max = size_.rows - std::min(size_.rows, caption_rows);
    canvas_.put(0, 1,
                fmt::format("{:<10} {:<5} {:<10}  {:<14}  {:<14}", "HOST", "LINK", "NETWORK", "SENDS", "RECEIVES"));
    std::size_t links = 0;
    for (const Host& host : topology_.hosts) links += host.links.size();
    const bool has_room = links < rows_max;
    const std::size_t shown = has_room ? links : rows_max - std::min<std::size_t>(rows_max, 2);
    std::size_t at = 0;
    for (const Host& host : topology_.hosts) {
      for (std::size_t i = 0; i < host.links.size() && at < shown; ++i, ++at) {
        draw_list_row(2 + at, host, i, at < flows_.size() ? flows_[at] : no_flow_);
      }
    }
    if (has_room) return links + 1;
    canvas_.put(0, 2 + shown, fmt::format("… {} links, more than this terminal's rows", links));
    return shown + 2;
  }

  void draw_list_row(std::size_t row, const Host& host, std::size_t link, const LinkRate& flow) {
    canvas_.put(0, row, fmt::format("{:<10} eth{:<2} {:<10}", host.name, link, host.links[link].network));
    canvas_.put(29, row, rate_text(flow.from_host), style_of(flow.from_host));
    canvas_.put(45, row, rate_text(flow.to_host), style_of(flow.to_host));
  }

  struct Mark {
    std::size_t column;
    std::size_t row;

    friend bool operator==(const Mark&, const Mark&) = default;
  };

  const Topology& topology_;
  const std::vector<LinkRate>& flows_;
  Size size_;
  Canvas canvas_;
  std::vector<Mark> line_marks_;
  const LinkRate no_flow_{};
};

}  // namespace

Canvas draw(const Topology& topology, const std::vector<LinkRate>& flows, const Caption& caption, const Size& size) {
  return Drawing(topology, flows, size).draw(caption);
}

}  // namespace penstock::lab
