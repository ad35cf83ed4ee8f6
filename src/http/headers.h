// Header fields of a message (RFC 9110, section 5): in order, names compared without case.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace podium::http {

class Headers {
 public:
  struct Field {
    std::string name;
    std::string value;

    friend bool operator==(const Field&, const Field&) = default;
  };

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}
  explicit Headers(std::vector<Field> fields) : fields_(std::move(fields)) {}

  // Behind what is there, of the same name too.
  void Add(std::string_view name, std::string_view value);
  // Instead of what is there of this name.
  void Set(std::string_view name, std::string_view value);
  void Remove(std::string_view name);

  // The first of this name, or null. Valid until the next change.
  const std::string* Find(std::string_view name) const;
  std::string_view Get(std::string_view name) const;  // "" where there is none
  std::vector<std::string_view> All(std::string_view name) const;
  size_t Count(std::string_view name) const;
  // Whether one of the fields' comma separated lists has this member, without case: "Upgrade" in
  // "Connection: keep-alive, upgrade".
  bool HasToken(std::string_view name, std::string_view token) const;

  const std::vector<Field>& fields() const { return fields_; }
  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }

  friend bool operator==(const Headers&, const Headers&) = default;

 private:
  std::vector<Field> fields_;
};

// Without case, ASCII only.
// Without spaces and tabs at both ends.
std::string_view TrimBlanks(std::string_view text);
// The members of a comma separated list, trimmed, without the empty ones. Quoted strings are not
// looked into.
std::vector<std::string_view> SplitList(std::string_view text);

// A method or a field's name: one or more of RFC 9110's tchar.
bool IsToken(std::string_view text);
// Visible bytes, blanks and bytes from 0x80: no line break nor other control byte, which would let
// whoever chose the value write fields of its own.
bool IsFieldValue(std::string_view text);

}  // namespace podium::http
