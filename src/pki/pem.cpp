#include "pki/pem.h"

#include <algorithm>

#include "reflect/base64.h"

namespace podium::pki {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "\n-----END ";
constexpr std::string_view kDashes = "-----";

// The first line of *text without the white space at its end; *text begins behind it.
std::string_view TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == text->npos ? text->size() : end + 1);
  const size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == line.npos ? 0 : last + 1);
}

// Whether `text` is what follows "-----END " of a block of this type, to the end of the line.
// *rest then begins behind it.
bool EndsBlock(std::string_view text, std::string_view type, std::string_view* rest) {
  if (!text.starts_with(type)) return false;
  text.remove_prefix(type.size());
  if (!text.starts_with(kDashes)) return false;
  text.remove_prefix(kDashes.size());
  if (!TakeLine(&text).empty()) return false;
  *rest = text;
  return true;
}

// The block between one BEGIN and the END that follows. `text` starts behind "-----BEGIN " and
// `end` is where the END line's line break stands in it.
std::optional<PemBlock> ReadBlock(std::string_view text, size_t end, std::string_view* rest) {
  const char* const end_mark = text.data() + end;
  PemBlock block;
  std::string_view type = TakeLine(&text);
  if (!type.ends_with(kDashes)) return std::nullopt;
  type.remove_suffix(kDashes.size());
  block.type = type;
  for (std::string_view next = text; TakeLine(&next).contains(':'); text = next) {
    block.has_headers = true;
  }
  // The line break before END may be the one of the BEGIN line: then there is no data, and there
  // may have been no headers either.
  const std::ptrdiff_t size = end_mark - text.data();
  if (size < 0 && block.has_headers) return std::nullopt;
  if (!EndsBlock({end_mark + kEnd.size(), text.data() + text.size()}, type, rest)) {
    return std::nullopt;
  }
  std::string data(text.substr(0, static_cast<size_t>(std::max<std::ptrdiff_t>(size, 0))));
  std::erase_if(data, [](char c) { return c == ' ' || c == '\t'; });
  if (reflect::DecodeBase64(data, &block.bytes)) return std::nullopt;
  return block;
}

}  // namespace

std::optional<PemBlock> TakePemBlock(std::string_view* text) {
  std::string_view left = *text;
  for (;;) {
    // The last BEGIN before the first END: one without an END of its own is passed over.
    const size_t end = left.find(kEnd);
    if (end == left.npos) return std::nullopt;
    const size_t begin = left.substr(0, end).rfind(kBegin);
    if (begin != left.npos && (begin == 0 || left[begin - 1] == '\n')) {
      const size_t skip = begin + kBegin.size();
      std::string_view rest;
      // A BEGIN just before the line break of END has no line of its own.
      if (auto block = ReadBlock(left.substr(skip), end - skip, &rest)) {
        *text = rest;
        return block;
      }
    }
    left.remove_prefix(end + kEnd.size());
  }
}

std::string ToPem(std::string_view type, std::string_view bytes) {
  constexpr size_t kLine = 64;
  std::string base64;
  reflect::AppendBase64(bytes, &base64);
  std::string text = "-----BEGIN " + std::string(type) + "-----\n";
  for (size_t at = 0; at < base64.size(); at += kLine) {
    text.append(base64, at, kLine);
    text += '\n';
  }
  return text + "-----END " + std::string(type) + "-----\n";
}

}  // namespace podium::pki
