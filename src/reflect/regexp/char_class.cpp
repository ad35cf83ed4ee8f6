#include "reflect/regexp/char_class.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>

#include "base/ascii.h"

namespace podium::reflect {
namespace {

#include "reflect/regexp/unicode.inc"

// The characters of all runs whose name `wanted` accepts.
template <class Wanted>
CharClass FromRuns(std::span<const uint32_t> runs, Wanted wanted) {
  CharClass out;
  for (size_t i = 0; i < runs.size(); ++i) {
    const char32_t last = i + 1 < runs.size() ? (runs[i + 1] >> 8) - 1 : kMaxRune;
    if (wanted(runs[i] & 0xFF)) out.Add(runs[i] >> 8, last);
  }
  out.Normalize();
  return out;
}

// Without underscores, blanks and hyphens, in lower case.
std::string Canonical(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '_' || c == '-' || c == ' ') continue;
    out += static_cast<char>(IsUpper(c) ? c - 'A' + 'a' : c);
  }
  return out;
}

// Unicode's longer names of categories (PropertyValueAliases.txt).
constexpr std::pair<const char*, const char*> kCategoryAliases[] = {
    {"casedletter", "lc"},
    {"closepunctuation", "pe"},
    {"combiningmark", "m"},
    {"connectorpunctuation", "pc"},
    {"control", "cc"},
    {"cntrl", "cc"},
    {"currencysymbol", "sc"},
    {"dashpunctuation", "pd"},
    {"decimalnumber", "nd"},
    {"digit", "nd"},
    {"enclosingmark", "me"},
    {"finalpunctuation", "pf"},
    {"format", "cf"},
    {"initialpunctuation", "pi"},
    {"letter", "l"},
    {"letternumber", "nl"},
    {"lineseparator", "zl"},
    {"lowercaseletter", "ll"},
    {"mark", "m"},
    {"mathsymbol", "sm"},
    {"modifierletter", "lm"},
    {"modifiersymbol", "sk"},
    {"nonspacingmark", "mn"},
    {"number", "n"},
    {"openpunctuation", "ps"},
    {"other", "c"},
    {"otherletter", "lo"},
    {"othernumber", "no"},
    {"otherpunctuation", "po"},
    {"othersymbol", "so"},
    {"paragraphseparator", "zp"},
    {"privateuse", "co"},
    {"punct", "p"},
    {"punctuation", "p"},
    {"separator", "z"},
    {"spaceseparator", "zs"},
    {"spacingmark", "mc"},
    {"surrogate", "cs"},
    {"symbol", "s"},
    {"titlecaseletter", "lt"},
    {"unassigned", "cn"},
    {"uppercaseletter", "lu"},
};

std::optional<CharClass> CategoryClass(std::string_view name) {
  if (name == "lc") {
    return FromRuns(kCategoryRuns, [](size_t i) {
      const std::string_view category = kCategoryNames[i];
      return category == "Lu" || category == "Ll" || category == "Lt";
    });
  }
  bool found = false;
  CharClass out = FromRuns(kCategoryRuns, [&](size_t i) {
    // One letter stands for all categories that begin with it.
    const bool same = Canonical(kCategoryNames[i]).starts_with(name);
    found = found || same;
    return same;
  });
  if (!found || name.empty() || name.size() > 2) return std::nullopt;
  return out;
}

struct PosixGroup {
  std::string_view name;
  std::initializer_list<CharClass::Range> ranges;
};
constexpr PosixGroup kPosixGroups[] = {
    {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
    {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
    {"ascii", {{0, 0x7F}}},
    {"blank", {{'\t', '\t'}, {' ', ' '}}},
    {"cntrl", {{0, 0x1F}, {0x7F, 0x7F}}},
    {"digit", {{'0', '9'}}},
    {"graph", {{'!', '~'}}},
    {"lower", {{'a', 'z'}}},
    {"print", {{' ', '~'}}},
    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
    {"space", {{'\t', '\r'}, {' ', ' '}}},
    {"upper", {{'A', 'Z'}}},
    {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
};

}  // namespace

bool CharClass::Has(char32_t rune) const {
  const auto after = std::ranges::upper_bound(ranges_, rune, {}, &Range::first);
  return after != ranges_.begin() && std::prev(after)->second >= rune;
}

void CharClass::Add(const CharClass& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
}

size_t CharClass::AddOtherCases() {
  const size_t count = ranges_.size();
  for (size_t i = 0; i < count; ++i) {
    const auto [first, last] = ranges_[i];
    const auto* fold = std::ranges::lower_bound(kFolds, first, {}, &Fold::code);
    for (; fold != std::end(kFolds) && fold->code <= last; ++fold) {
      for (char32_t rune = fold->next; rune != fold->code;) {
        Add(rune, rune);
        rune = std::ranges::lower_bound(kFolds, rune, {}, &Fold::code)->next;
      }
    }
  }
  const size_t added = ranges_.size() - count;
  Normalize();
  return added;
}

void CharClass::Normalize() {
  std::ranges::sort(ranges_);
  size_t kept = 0;
  for (const Range& range : ranges_) {
    if (kept > 0 && range.first <= ranges_[kept - 1].second + 1) {
      ranges_[kept - 1].second = std::max(ranges_[kept - 1].second, range.second);
    } else {
      ranges_[kept++] = range;
    }
  }
  ranges_.resize(kept);
}

void CharClass::Negate() {
  std::vector<Range> out;
  char32_t next = 0;
  for (const auto& [first, last] : ranges_) {
    if (first > next) out.emplace_back(next, first - 1);
    next = last + 1;
  }
  if (next <= kMaxRune) out.emplace_back(next, kMaxRune);
  ranges_ = std::move(out);
}

std::optional<CharClass> UnicodeClass(std::string_view name) {
  const std::string canonical = Canonical(name);
  if (canonical == "any") return CharClass({{0, kMaxRune}});
  if (canonical == "ascii") return CharClass({{0, 0x7F}});
  if (canonical == "assigned") {
    CharClass assigned = *CategoryClass("cn");
    assigned.Negate();
    return assigned;
  }
  if (auto category = CategoryClass(canonical)) return category;
  for (size_t i = 0; i < std::size(kScriptNames); ++i) {
    // Unknown is no script of Go's.
    if (Canonical(kScriptNames[i]) != canonical || canonical == "unknown") continue;
    return FromRuns(kScriptRuns, [&](size_t script) { return script == i; });
  }
  for (const auto& [alias, category] : kCategoryAliases) {
    if (canonical == alias) return CategoryClass(category);
  }
  return std::nullopt;
}

std::optional<CharClass> PosixClass(std::string_view name) {
  name.remove_prefix(2);
  name.remove_suffix(2);
  const bool negated = name.starts_with('^');
  if (negated) name.remove_prefix(1);
  for (const PosixGroup& group : kPosixGroups) {
    if (group.name != name) continue;
    CharClass out{std::vector<CharClass::Range>(group.ranges)};
    if (negated) out.Negate();
    return out;
  }
  return std::nullopt;
}

std::optional<CharClass> PerlClass(char letter) {
  CharClass out;
  switch (IsUpper(letter) ? letter - 'A' + 'a' : letter) {
    case 'd':
      out = CharClass({{'0', '9'}});
      break;
    case 's':
      out = CharClass({{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}});
      break;
    case 'w':
      out = CharClass({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
      break;
    default:
      return std::nullopt;
  }
  if (IsUpper(letter)) out.Negate();
  return out;
}

}  // namespace podium::reflect
