// Sets of characters, as the brackets and classes of a regular expression name them. Private to
// reflect/regexp.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace podium::reflect {

inline constexpr char32_t kMaxRune = 0x10FFFF;

class CharClass {
 public:
  using Range = std::pair<char32_t, char32_t>;  // inclusive

  CharClass() = default;
  explicit CharClass(std::vector<Range> ranges) : ranges_(std::move(ranges)) { Normalize(); }

  bool Has(char32_t rune) const;
  size_t ranges() const { return ranges_.size(); }

  void Add(char32_t first, char32_t last) { ranges_.emplace_back(first, last); }
  void Add(const CharClass& other);
  // Adds what differs from a member by case alone. How many there were, members among them.
  size_t AddOtherCases();
  void Negate();
  // Sorts and joins ranges; to be called behind Add before anything is asked.
  void Normalize();

 private:
  std::vector<Range> ranges_;
};

// \p{...}: a general category, a script, Any, Assigned or ASCII, by Go's names and Unicode's
// aliases, in any case and with or without underscores.
std::optional<CharClass> UnicodeClass(std::string_view name);
// "[:alpha:]" and "[:^alpha:]".
std::optional<CharClass> PosixClass(std::string_view name);
// d, s, w and their negations D, S, W.
std::optional<CharClass> PerlClass(char letter);

}  // namespace podium::reflect
