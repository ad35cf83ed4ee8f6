#include "http/headers.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/text.h"

namespace podium::http {
namespace {

bool IsTokenByte(char c) {
  return IsLetterOrDigit(c) || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").contains(c));
}

}  // namespace

std::string_view TrimBlanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> SplitList(std::string_view text) {
  std::vector<std::string_view> members;
  for (const std::string_view part : Split(text, ',')) {
    const std::string_view member = TrimBlanks(part);
    if (!member.empty()) members.push_back(member);
  }
  return members;
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsTokenByte);
}

bool IsFieldValue(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

void Headers::Add(std::string_view name, std::string_view value) {
  fields_.push_back({std::string(name), std::string(value)});
}

void Headers::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void Headers::Remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return EqualsIgnoringCase(field.name, name); });
}

const std::string* Headers::Find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (EqualsIgnoringCase(field.name, name)) return &field.value;
  }
  return nullptr;
}

std::string_view Headers::Get(std::string_view name) const {
  const std::string* value = Find(name);
  return value ? std::string_view(*value) : std::string_view();
}

std::vector<std::string_view> Headers::All(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Field& field : fields_) {
    if (EqualsIgnoringCase(field.name, name)) values.emplace_back(field.value);
  }
  return values;
}

size_t Headers::Count(std::string_view name) const {
  return static_cast<size_t>(std::ranges::count_if(
      fields_, [&](const Field& field) { return EqualsIgnoringCase(field.name, name); }));
}

bool Headers::HasToken(std::string_view name, std::string_view token) const {
  for (const std::string_view value : All(name)) {
    for (const std::string_view member : SplitList(value)) {
      if (EqualsIgnoringCase(member, token)) return true;
    }
  }
  return false;
}

}  // namespace podium::http
