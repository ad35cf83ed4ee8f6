// How descriptions are written: pieces of text in indented lines, whose cells are aligned at the
// end. As upstream's PrefixWriter. Private to describe/.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace podium::api {

// One piece of a line: text, a number, true or false.
class Piece {
 public:
  Piece(std::string_view text) : text_(text) {}    // NOLINT: stands for the text
  Piece(const std::string& text) : text_(text) {}  // NOLINT: likewise
  Piece(const char* text) : text_(text) {}         // NOLINT: likewise
  template <std::same_as<bool> Bool>
  Piece(Bool value) : text_(value ? "true" : "false") {}  // NOLINT: likewise
  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  Piece(Number value)
      : number_(static_cast<int64_t>(value)), is_number_(true) {}  // NOLINT: likewise

  void AppendTo(std::string* out) const;

 private:
  std::string_view text_;
  int64_t number_ = 0;
  bool is_number_ = false;
};

class DescribeWriter {
 public:
  // `text` gets what is written, not aligned yet, and outlives the writer.
  explicit DescribeWriter(std::string* text) : text_(text) {}

  // The pieces, behind two spaces a level. No end of line is added.
  template <class... Pieces>
  void Write(int level, const Pieces&... pieces) {
    WritePieces(level + indent_, {Piece(pieces)...});
  }
  // The same and an end of line.
  template <class... Pieces>
  void Line(int level, const Pieces&... pieces) {
    WritePieces(level + indent_, {Piece(pieces)..., Piece("\n")});
  }
  // Ends a line that stands there already. Of a nested writer the indentation stands before this,
  // too, in the midst of the line: upstream's does so.
  void EndLine(std::string_view rest) { WritePieces(indent_, {Piece(rest), Piece("\n")}); }

  // Writes to the same text, so many levels to the right.
  DescribeWriter Nested(int levels) const {
    DescribeWriter nested(text_);
    nested.indent_ = indent_ + levels;
    return nested;
  }

 private:
  void WritePieces(int level, std::initializer_list<Piece> pieces);

  std::string* const text_;
  int indent_ = 0;
};

}  // namespace podium::api
