#include "cli/edit_text.h"

#include <utility>

#include "base/text.h"
#include "cli/input.h"
#include "reflect/json.h"

namespace podium::cli {

using reflect::JsonValue;

namespace {

std::string Commented(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "# ";
  }
  return out;
}

}  // namespace

std::string EditHeader(std::string_view what, const std::vector<EditReason>& reasons) {
  std::string out(what);
  for (const EditReason& reason : reasons) {
    out += "# " + Commented(reason.head) + (reason.details.empty() ? "\n" : ":\n");
    for (const std::string& detail : reason.details) out += "# * " + Commented(detail) + '\n';
    out += "#\n";
  }
  return out;
}

std::string_view WithoutHeader(std::string_view text) {
  while (text.starts_with('#')) {
    const size_t end = text.find('\n');
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return text;
}

std::string WithWindowsLines(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

bool HasLines(std::string_view text) {
  for (const std::string_view line : Split(text, '\n')) {
    const size_t start = line.find_first_not_of(" \t\r");
    if (start != line.npos && line[start] != '#') return true;
  }
  return false;
}

std::optional<std::vector<JsonValue>> MeaningOf(std::string_view text, std::string* problem) {
  std::vector<JsonValue> out;
  DocumentReader reader(text);
  Document document;
  while (reader.Next(&document)) {
    *problem = document.problem;
    if (!problem->empty()) {
      *problem = "line " + std::to_string(document.problem_position.line) + ": " + *problem;
      return {};
    }
    auto json = reflect::ParseJson(document.json);
    if (!json.ok()) {
      *problem = json.error().message();
      return {};
    }
    if (!json->is_null()) out.push_back(*std::move(json));
  }
  return out;
}

bool SaysTheSame(std::string_view one, std::string_view other) {
  std::string problem;
  const auto first = MeaningOf(one, &problem);
  const auto second = MeaningOf(other, &problem);
  if (!first || !second) return WithoutHeader(one) == WithoutHeader(other);
  if (first->size() != second->size()) return false;
  for (size_t i = 0; i < first->size(); ++i) {
    if (!Equivalent((*first)[i], (*second)[i])) return false;
  }
  return true;
}

}  // namespace podium::cli
